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
        return layers.stream()
                .mapToLong(layer -> (long) layer.kvHeads() * layer.page().pageBytes())
                .sum();
    }
}
