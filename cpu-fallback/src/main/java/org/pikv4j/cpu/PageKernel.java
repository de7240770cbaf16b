package org.pikv4j.cpu;

import jdk.incubator.vector.FloatVector;

/**
 * Small matrix products with one half of a page: scores are queries times transposed keys, outputs are probabilities times
 * values. Both read the page row by row, each row once for four rows of the left factor.
 *
 * <p>Left factors are <em>packed</em>: element i of row r is {@code a[4·i + r]}, so that what a row of the page is multiplied
 * with lies together. Products stand in an order of the kernel's own, {@code 4 · columns} of them, until they are {@link #turn
 * turned} into a packed left factor of their own.
 *
 * @param <S> what holds the half page
 */
interface PageKernel<S> {

    /** Rows of the left factor that are computed at once. */
    int ROWS = 4;

    /** For kernels that do not scale. */
    Scaling NOT_SCALED = new Scaling();

    /**
     * @return length of a row of the matrix
     */
    int columns();

    /**
     * @return columns, a multiple of which is computed together
     */
    int grain();

    /**
     * Adds to the products of four rows r with the columns c: Σ_i a[r][i] · m[i][c], from ≤ i &lt; to, firstColumn ≤ c &lt;
     * lastColumn, scaled as the kernel was made to.
     *
     * @param m holds the matrix, (·, columns)
     * @param mOffset where it starts
     * @param from first row of m
     * @param to one past the last row of m
     * @param firstColumn first column, a multiple of {@link #grain()}
     * @param lastColumn one past the last column, likewise or the last there is
     * @param a the left factor, packed
     * @param aOffset where its row 0 starts
     * @param scaling scales and constants; only read if the kernel was made for them
     * @param y holds the products
     * @param yOffset where they start
     */
    void add(
            S m,
            long mOffset,
            int from,
            int to,
            int firstColumn,
            int lastColumn,
            float[] a,
            int aOffset,
            Scaling scaling,
            float[] y,
            int yOffset);

    /**
     * Multiplies each row of products by a factor.
     *
     * @param y holds the products
     * @param yOffset where they start
     * @param factors one for each of the four rows
     */
    void scale(float[] y, int yOffset, float[] factors);

    /**
     * Turns products into a left factor.
     *
     * @param y holds the products, and is left in disorder
     * @param yOffset where they start
     * @param firstColumn first column, a multiple of {@link #grain()}
     * @param lastColumn one past the last column, likewise or the last there is
     * @param packed receives {@code packed[packedOffset + 4·c + r]}
     * @param packedOffset where column 0 goes
     */
    void turn(float[] y, int yOffset, int firstColumn, int lastColumn, float[] packed, int packedOffset);

    /**
     * Widens rows to float32, in natural order.
     *
     * @param m the matrix, (·, columns)
     * @param mOffset where it starts
     * @param rows number of rows
     * @param out receives (rows, columns)
     */
    void widen(S m, long mOffset, int rows, float[] out);

    /** What becomes of the sum s[r][c] of a call before it is added to the products. */
    enum Scaled {
        /** Nothing. */
        NOT,
        /** scale[c] · s[r][c] */
        COLUMNS,
        /** scale[c] · s[r][c] + constant[r] · minimum[c] */
        AFFINE_COLUMNS,
        /** s[r][c] + constant[r] */
        SHIFTED
    }

    /** Operands of {@link Scaled}; whoever calls sets them. */
    final class Scaling {
        /** One for each column. */
        float[] scales = {};

        float[] minima = {};
        /** Where scales, and minima, of column 0 stand. */
        int at;
        /** One for each row. */
        final float[] constants = Packed.perRow();
        /** Scratch. */
        final float[] sums = new float[ROWS * 2 * FloatVector.SPECIES_PREFERRED.length()];
    }
}
