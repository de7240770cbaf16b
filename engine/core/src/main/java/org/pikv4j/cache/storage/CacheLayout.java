package org.pikv4j.cache.storage;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.pikv4j.cache.compression.Codecs;
import org.pikv4j.cache.compression.FormChoice;
import org.pikv4j.cache.compression.PageForm;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.model.LayerSpec;
import org.pikv4j.model.ModelConfig;

/**
 * How the cache of one model is cut into pages.
 *
 * @param layers one entry per layer
 * @param residual what stays exact where layers are compressed
 */
public record CacheLayout(List<Layer> layers, Residual residual) {

    /**
     * @param open the layout of pages that are being filled, and of those that stay exact
     * @param sealed the layout of full pages, one per KV head; {@code open} itself where they stay as they are
     * @param window a query sees this many newest tokens; older pages are given back
     */
    public record Layer(PageLayout open, List<PageLayout> sealed, int window) {
        public Layer {
            sealed = List.copyOf(sealed);
        }

        /**
         * A layer whose pages stay as they are.
         *
         * @param page the layout of its pages
         * @param kvHeads tables per sequence
         * @param window a query sees this many newest tokens
         */
        public Layer(PageLayout page, int kvHeads, int window) {
            this(page, Collections.nCopies(kvHeads, page), window);
        }

        /**
         * @return tables per sequence
         */
        public int kvHeads() {
            return sealed.size();
        }

        boolean compressed() {
            return sealed.stream().anyMatch(page -> !page.equals(open));
        }

        /**
         * @return bytes that an open page and the room for its sealed form take per token, all heads together
         */
        public long openBytesPerToken() {
            long pages = sealed.stream()
                    .mapToLong(page -> open.pageBytes() + (page.equals(open) ? 0 : page.pageBytes()))
                    .sum();
            return Math.ceilDiv(pages, open.tokens());
        }
    }

    public CacheLayout {
        layers = List.copyOf(layers);
    }

    /**
     * @param config the model
     * @param forms how rows are kept
     * @param pageTokens tokens per page
     * @param residual what stays exact
     * @param room what pages have room for besides keys and values
     * @return the layout
     * @throws InvalidOptionException if a form does not fit the model, or would make pages larger
     */
    public static CacheLayout of(
            ModelConfig config, FormChoice forms, int pageTokens, Residual residual, PageRoom room) {
        forms.checkLayers(config.layers().size());
        List<Layer> layers = new ArrayList<>();
        for (LayerSpec layer : config.layers()) {
            layers.add(layer(layer.attention(), layers.size(), forms, pageTokens, residual, room));
        }
        return new CacheLayout(layers, residual);
    }

    /**
     * @param attention the layer's attention
     * @param index the layer's index
     * @param forms how rows are kept
     * @param pageTokens tokens per page
     * @param residual what stays exact
     * @param room what pages have room for besides keys and values
     * @return the layer
     * @throws InvalidOptionException if a form does not fit, or would make pages larger
     */
    public static Layer layer(
            AttentionSpec attention, int index, FormChoice forms, int pageTokens, Residual residual, PageRoom room) {
        List<PageForm> byHead = new ArrayList<>();
        for (int head = 0; head < attention.kvHeads(); head++) {
            byHead.add(forms.form(index, head, attention.headDim()));
        }
        PageForm first = byHead.getFirst();
        boolean exact = first.appendable() && byHead.stream().allMatch(first::equals);
        PageForm openForm = exact ? first : new PageForm(Codecs.BF16);
        PageLayout open = new PageLayout(openForm, pageTokens, attention.headDim(), room);
        // A page that leaves the window before it would be sealed need not be.
        if (exact || attention.window() <= residual.tokens() + residual.interval()) {
            return new Layer(open, attention.kvHeads(), attention.window());
        }
        List<PageLayout> sealed = new ArrayList<>();
        for (PageForm form : byHead) {
            PageLayout page = new PageLayout(form, pageTokens, attention.headDim(), room);
            if (page.pageBytes() >= open.pageBytes()) {
                throw new InvalidOptionException(
                        "kv-dtype %s does not compress: a page of layer %d takes %d bytes, in %s %d"
                                .formatted(form.name(), index, page.pageBytes(), openForm.name(), open.pageBytes()));
            }
            sealed.add(page);
        }
        return new Layer(open, sealed, attention.window());
    }

    /**
     * @return whether any page changes its form
     */
    public boolean compressed() {
        return layers.stream().anyMatch(Layer::compressed);
    }

    /**
     * @return bytes that an open page and the room for its sealed form take per token, all layers and heads together
     */
    public long openBytesPerToken() {
        return layers.stream().mapToLong(Layer::openBytesPerToken).sum();
    }

    /**
     * @return the least that a sequence of one token takes: a page of every layer and KV head
     */
    public long smallestSequenceBytes() {
        return sequenceBytes(1);
    }

    /**
     * @param tokens length of a sequence
     * @return the most that its pages take while tokens are read one by one, those that have left a layer's window not
     *     counted; while a long prompt is read, a layer with a window holds up to a chunk more
     */
    public long sequenceBytes(int tokens) {
        long bytes = 0;
        for (Layer layer : layers) {
            PageCounts pages = PageCounts.of(tokens, layer.open().tokens(), layer.window(), residual);
            for (PageLayout sealed : layer.sealed()) {
                long target = sealed.equals(layer.open()) ? 0 : sealed.pageBytes();
                bytes += pages.exact() * layer.open().pageBytes();
                bytes += pages.sealed() * sealed.pageBytes() + pages.reserved() * target;
            }
        }
        return bytes;
    }

    /**
     * @param budgetBytes bytes that may be used
     * @param most a length beyond which nobody wants to know
     * @return the longest sequence whose pages fit, at most {@code most}; 0 if none does
     */
    public int longestSequence(long budgetBytes, int most) {
        int fits = 0;
        int doesNot = most == Integer.MAX_VALUE ? most : most + 1;
        while (doesNot - fits > 1) {
            int middle = (fits + doesNot) >>> 1;
            if (sequenceBytes(middle) <= budgetBytes) {
                fits = middle;
            } else {
                doesNot = middle;
            }
        }
        return fits;
    }
}
