package org.pikv4j.cpu;

import java.lang.foreign.MemorySegment;

/** Products with one half of the pages of an item, page after page. For one worker. */
interface HalfProduct {

    /**
     * Turns to a page.
     *
     * @param half its bytes
     */
    void open(MemorySegment half);

    /**
     * @return columns, a multiple of which is computed together
     */
    int grain();

    /**
     * @return columns of a row of products, padding included
     */
    int width();

    /**
     * y[r][c] += Σ_i a[r][i] · m[i][c] for {@link PageKernel#ROWS} rows r, from ≤ i &lt; to, firstColumn ≤ c &lt; lastColumn, m
     * being the matrix of the open half.
     *
     * @param from first row of m
     * @param to one past the last row of m
     * @param firstColumn first column, a multiple of {@link #grain()}
     * @param lastColumn one past the last column, likewise or the last there is
     * @param a the left factor
     * @param aOffset where its first row starts
     * @param aStride distance between its rows
     * @param y receives the product, in the order that {@link #restore} undoes
     * @param yOffset where column 0 of the first row goes
     * @param yStride distance between its rows
     */
    void add(
            int from,
            int to,
            int firstColumn,
            int lastColumn,
            float[] a,
            int aOffset,
            int aStride,
            float[] y,
            int yOffset,
            int yStride);

    /**
     * Puts columns in their natural order; elementwise work may come before.
     *
     * @param y holds a row of products
     * @param at where a multiple of {@link #grain()} columns begins
     * @param count how many columns, likewise
     */
    void restore(float[] y, int at, int count);
}
