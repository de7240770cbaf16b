package org.pikv4j.cpu;

import org.pikv4j.attention.AttentionItem;
import org.pikv4j.tensor.DType;
import org.pikv4j.tensor.Tensor;

/**
 * The inner loops, for one worker each; {@link CpuBackend} shares the work out. Implementations keep no state.
 */
interface Kernels {

    /**
     * @return name and particulars for people
     */
    String description();

    /**
     * Σ a·b.
     *
     * @param a first vector
     * @param aOffset where it starts
     * @param b second vector
     * @param bOffset where it starts
     * @param count length
     * @return the inner product
     */
    float dot(float[] a, int aOffset, float[] b, int bOffset, int count);

    /**
     * Whether rows are read in an order of the kernel's own, which {@link #arrange} makes.
     *
     * @param dtype type of the weights
     * @return whether it differs from the natural order
     */
    boolean arranges(DType dtype);

    /**
     * Puts a piece of a row in the order in which {@link #product} reads it beside weights of a type.
     *
     * @param dtype type of the weights
     * @param x holds the piece
     * @param xOffset where it starts; from the row's start a multiple of 32
     * @param count its length, a multiple of 32 except at the row's end
     * @param out receives it
     * @param outOffset where it starts
     */
    void arrange(DType dtype, float[] x, int xOffset, int count, float[] out, int outOffset);

    /**
     * y[yOffset + i·yStride + o − from] = Σ_k weight[o][k] · x[rowIndex[first + i]][k], for outputs from ≤ o &lt; to and
     * rows 0 ≤ i &lt; rows.
     *
     * @param weight (out, in)
     * @param from first output
     * @param to one past the last output
     * @param x (row, in), arranged
     * @param rowIndex which rows of x
     * @param first where in {@code rowIndex} to start
     * @param rows number of rows
     * @param y receives the outputs
     * @param yOffset where the first row's go
     * @param yStride distance between rows of y
     */
    void product(
            Tensor weight,
            int from,
            int to,
            float[] x,
            int[] rowIndex,
            int first,
            int rows,
            float[] y,
            int yOffset,
            int yStride);

    /**
     * Computes the partials of one item.
     *
     * @param item the item; not completed here
     * @param scratch the worker's buffers
     */
    void attend(AttentionItem item, Scratch scratch);
}
