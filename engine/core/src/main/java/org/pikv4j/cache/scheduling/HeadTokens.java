package org.pikv4j.cache.scheduling;

import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import org.pikv4j.cache.compression.HalfShape;
import org.pikv4j.cache.storage.PageTable;
import org.pikv4j.cache.storage.TokenColumns;
import org.pikv4j.model.AttentionSpec;

/**
 * What a policy may know of the tokens of one layer and KV head: where they stand, what it has kept of them, and, at a price,
 * their keys and values as attention takes them.
 */
public final class HeadTokens implements TokenSignals {
    private final PageTable table;
    private final AttentionSpec spec;
    private final int layer;
    private final int kvHead;
    private final IntFunction<List<TokenSignals>> layers;
    private int[] positions = {};
    private final int size;
    private final int headDim;
    private final int pages;

    /**
     * @param table the head's pages
     * @param spec the layer's attention
     * @param layer index of the layer
     * @param kvHead index of the KV head
     * @param layers what is known of the tokens of any layer, by KV head
     */
    HeadTokens(PageTable table, AttentionSpec spec, int layer, int kvHead, IntFunction<List<TokenSignals>> layers) {
        this.table = table;
        this.spec = spec;
        this.layer = layer;
        this.kvHead = kvHead;
        this.layers = layers;
        this.pages = table.evictablePages();
        this.size = table.tokensBefore(pages);
        this.headDim = table.layout().headDim();
    }

    /**
     * @return the layer's attention
     */
    public AttentionSpec spec() {
        return spec;
    }

    /**
     * @return index of the layer
     */
    public int layer() {
        return layer;
    }

    /**
     * @return index of the KV head
     */
    public int kvHead() {
        return kvHead;
    }

    /**
     * @param other index of a layer
     * @return what is known of the tokens there, by KV head
     */
    public List<TokenSignals> signals(int other) {
        return layers.apply(other);
    }

    @Override
    public int size() {
        return size;
    }

    @Override
    public int length() {
        return table.length();
    }

    /**
     * @return width of a key
     */
    public int headDim() {
        return headDim;
    }

    @Override
    public int[] positions() {
        if (positions.length < size) {
            positions = Arrays.copyOf(table.positions(), size);
        }
        return positions;
    }

    @Override
    public TokenColumns columns() {
        return table.columns();
    }

    /**
     * @return the keys, rotated, in a new array (size, headDim)
     */
    public float[] keys() {
        return rows(HalfShape.Side.KEYS);
    }

    /**
     * @return the values, in a new array (size, headDim)
     */
    public float[] values() {
        return rows(HalfShape.Side.VALUES);
    }

    private float[] rows(HalfShape.Side side) {
        float[] rows = new float[size * headDim];
        float[] page = new float[table.layout().tokens() * headDim];
        int at = 0;
        for (int p = 0; p < pages; p++) {
            table.page(p).decode(side, page);
            int count = table.tokens(p) * headDim;
            System.arraycopy(page, 0, rows, at, count);
            at += count;
        }
        return rows;
    }
}
