package org.pikv4j.cpu;

import java.lang.foreign.MemorySegment;

/**
 * Products with one half of the pages of an item, page after page. For one worker.
 *
 * @param <S> what the kernel reads
 */
abstract class HalfProduct<S> {
    /** Multiplies, and says in which order products stand. */
    final PageKernel<S> kernel;

    HalfProduct(PageKernel<S> kernel) {
        this.kernel = kernel;
    }

    /**
     * Turns to a page.
     *
     * @param half its bytes
     */
    abstract void open(MemorySegment half);

    /**
     * Adds to the products of four rows r with the columns c of the matrix m of the open half: Σ_i a[r][i] · m[i][c], from ≤ i
     * &lt; to, firstColumn ≤ c &lt; lastColumn.
     *
     * @param from first row of m
     * @param to one past the last row of m
     * @param firstColumn first column, a multiple of {@link #grain()}
     * @param lastColumn one past the last column, likewise or the last there is
     * @param a the left factor, packed as {@link PageKernel} says
     * @param aOffset where its row 0 starts
     * @param y holds the products
     * @param yOffset where they start
     */
    abstract void add(
            int from, int to, int firstColumn, int lastColumn, float[] a, int aOffset, float[] y, int yOffset);

    /**
     * @return columns of the matrix, padding included
     */
    final int columns() {
        return kernel.columns();
    }

    /**
     * @return columns, a multiple of which is computed together
     */
    final int grain() {
        return kernel.grain();
    }

    /**
     * @see PageKernel#scale
     */
    final void scale(float[] y, int yOffset, float[] factors) {
        kernel.scale(y, yOffset, factors);
    }

    /**
     * @see PageKernel#turn
     */
    final void turn(float[] y, int yOffset, int firstColumn, int lastColumn, float[] packed, int packedOffset) {
        kernel.turn(y, yOffset, firstColumn, lastColumn, packed, packedOffset);
    }
}
