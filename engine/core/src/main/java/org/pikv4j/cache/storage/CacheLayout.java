package org.pikv4j.cache.storage;

import java.util.ArrayList;
import java.util.List;
import org.pikv4j.cache.compression.PageForm;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.model.LayerSpec;
import org.pikv4j.model.ModelConfig;

/**
 * How the cache of one model is cut into pages.
 *
 * @param layers one entry per layer
 */
public record CacheLayout(List<Layer> layers) {

    /**
     * @param page the layout of this layer's pages
     * @param kvHeads tables per sequence
     * @param window a query sees this many newest tokens; older pages are given back
     */
    public record Layer(PageLayout page, int kvHeads, int window) {}

    public CacheLayout {
        layers = List.copyOf(layers);
    }

    /**
     * @param config the model
     * @param form how rows are kept
     * @param pageTokens tokens per page
     * @return the layout
     */
    public static CacheLayout of(ModelConfig config, PageForm form, int pageTokens) {
        List<Layer> layers = new ArrayList<>();
        for (LayerSpec layer : config.layers()) {
            AttentionSpec attention = layer.attention();
            PageLayout page = new PageLayout(form, pageTokens, attention.headDim());
            layers.add(new Layer(page, attention.kvHeads(), attention.window()));
        }
        return new CacheLayout(layers);
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
            int perPage = layer.page().tokens();
            long pages = Math.ceilDiv(tokens, perPage);
            if (tokens > layer.window()) {
                // A window begins anywhere in its oldest page.
                pages = Math.min(pages, Math.ceilDiv(layer.window() - 1, perPage) + 1);
            }
            bytes += pages * layer.kvHeads() * layer.page().pageBytes();
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
