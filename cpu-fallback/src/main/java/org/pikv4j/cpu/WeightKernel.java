package org.pikv4j.cpu;

import java.lang.foreign.MemorySegment;

/** What is done with the stored bytes of weights: inner products with one row, and widening for many. */
interface WeightKernel {

    /**
     * y[yOffset + o − from] = Σ_k weight[o][k] · x[xOffset + k].
     *
     * @param weight the bytes of (out, in)
     * @param in length of a row
     * @param from first output
     * @param to one past the last output
     * @param x holds the row, arranged
     * @param xOffset where it starts
     * @param y receives the outputs
     * @param yOffset where the first goes
     */
    void row(MemorySegment weight, int in, int from, int to, float[] x, int xOffset, float[] y, int yOffset);

    /**
     * Widens a piece of rows of weights to float32, each arranged as x is.
     *
     * @param weight the bytes of (out, in)
     * @param in length of a row
     * @param from first output
     * @param to one past the last output
     * @param first first element of a row, a multiple of {@link Kernels#PLACE_STEP}
     * @param count elements, likewise except at the end of the row
     * @param wide receives (to − from, stride)
     * @param stride distance between its rows, at least {@code count}
     */
    void widen(MemorySegment weight, int in, int from, int to, int first, int count, float[] wide, int stride);
}
