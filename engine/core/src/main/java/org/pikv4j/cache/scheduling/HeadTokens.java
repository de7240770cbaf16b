package org.pikv4j.cache.scheduling;

import java.util.Arrays;
import org.pikv4j.cache.compression.HalfForm;
import org.pikv4j.cache.compression.HalfShape;
import org.pikv4j.cache.storage.Page;
import org.pikv4j.cache.storage.PageTable;
import org.pikv4j.cache.storage.TokenColumns;

/**
 * What a policy may know of the tokens of one layer and KV head: where they stand, what it has kept of them, and, at a price,
 * their keys and values as attention takes them.
 */
public final class HeadTokens {
    private final PageTable table;
    private final int size;
    private final int headDim;
    private final int pages;

    /**
     * @param table the head's pages
     */
    HeadTokens(PageTable table) {
        this.table = table;
        this.pages = table.evictablePages();
        this.size = table.tokensBefore(pages);
        this.headDim = table.layout().headDim();
    }

    /**
     * @return number of tokens, by position
     */
    public int size() {
        return size;
    }

    /**
     * @return tokens of the sequence, those that are not listed here and those that are gone included
     */
    public int length() {
        return table.length();
    }

    /**
     * @return width of a key
     */
    public int headDim() {
        return headDim;
    }

    /**
     * @return positions of all tokens
     */
    public int[] positions() {
        return Arrays.copyOf(table.positions(), size);
    }

    /**
     * @return what the policy keeps; the first {@link #size} rows are these tokens
     */
    public TokenColumns columns() {
        return table.columns();
    }

    /**
     * @return the keys, rotated, in a new array (size, headDim)
     */
    public float[] keys() {
        return rows(true);
    }

    /**
     * @return the values, in a new array (size, headDim)
     */
    public float[] values() {
        return rows(false);
    }

    private float[] rows(boolean keys) {
        float[] rows = new float[size * headDim];
        float[] page = new float[table.layout().tokens() * headDim];
        int at = 0;
        for (int p = 0; p < pages; p++) {
            Page from = table.page(p);
            HalfForm form =
                    keys ? from.layout().form().keys() : from.layout().form().values();
            HalfShape shape = keys ? from.layout().keyShape() : from.layout().valueShape();
            form.decode(shape, keys ? from.keys() : from.values(), headDim, page);
            int count = table.tokens(p) * headDim;
            System.arraycopy(page, 0, rows, at, count);
            at += count;
        }
        return rows;
    }
}
