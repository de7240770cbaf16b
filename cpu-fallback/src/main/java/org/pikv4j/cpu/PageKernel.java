package org.pikv4j.cpu;

import java.lang.foreign.MemorySegment;

/**
 * Small matrix products with one half of a page: scores are queries times transposed keys, outputs are probabilities times
 * values. Both read the page row by row, each row once for four rows of the left factor.
 */
interface PageKernel {

    /**
     * @return columns computed at once; the range of columns is a multiple of it
     */
    int step();

    /**
     * y[r][c] += Σ_i a[r][i] · m[i][c] for four rows r, from ≤ i &lt; to, firstColumn ≤ c &lt; lastColumn.
     *
     * @param m the bytes of (·, columns)
     * @param columns length of a row of m
     * @param from first row of m
     * @param to one past the last row of m
     * @param firstColumn first column, a multiple of {@link #step()}
     * @param lastColumn one past the last column, likewise
     * @param a the left factor
     * @param aOffset where its first row starts
     * @param aStride distance between its rows; 0 repeats one row
     * @param y receives the product, in the order that {@link #restore} undoes
     * @param yOffset where column 0 of the first row goes
     * @param yStride distance between its rows
     */
    void add(
            MemorySegment m,
            int columns,
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
     * @param at where a multiple of {@link #step()} columns begins
     * @param count how many columns, likewise
     */
    void restore(float[] y, int at, int count);
}
