package org.pikv4j.cpu;

/**
 * Small matrix products with one half of a page: scores are queries times transposed keys, outputs are probabilities times
 * values. Both read the page row by row, each row once for four rows of the left factor.
 *
 * @param <S> what holds the half page
 */
interface PageKernel<S> {

    /** Rows of the left factor that are computed at once. */
    int ROWS = 4;

    /**
     * @param columns length of a row
     * @return whether rows of that length can be read
     */
    boolean fits(int columns);

    /**
     * @return columns, a multiple of which is computed together
     */
    int grain();

    /**
     * y[r][c] += Σ_i a[r][i] · m[i][c] for four rows r, from ≤ i &lt; to, firstColumn ≤ c &lt; lastColumn.
     *
     * @param m holds the matrix, (·, columns)
     * @param mOffset where it starts
     * @param columns length of a row of m
     * @param from first row of m
     * @param to one past the last row of m
     * @param firstColumn first column, a multiple of {@link #grain()}
     * @param lastColumn one past the last column, likewise or the last there is
     * @param a the left factor
     * @param aOffset where its first row starts
     * @param aStride distance between its rows; 0 repeats one row
     * @param y receives the product, in the order that {@link #restore} undoes
     * @param yOffset where column 0 of the first row goes
     * @param yStride distance between its rows
     */
    void add(
            S m,
            long mOffset,
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
     * @param at where a multiple of {@link #grain()} columns begins
     * @param count how many columns, likewise
     */
    void restore(float[] y, int at, int count);

    /**
     * Widens rows to float32, in natural order.
     *
     * @param m the matrix, (·, columns)
     * @param mOffset where it starts
     * @param columns length of a row of m
     * @param rows number of rows
     * @param out receives (rows, columns)
     */
    void widen(S m, long mOffset, int columns, int rows, float[] out);
}
