package org.pikv4j.cpu;

import java.lang.foreign.MemorySegment;
import org.pikv4j.attention.AttentionItem;
import org.pikv4j.tensor.DType;
import org.pikv4j.tensor.Tensor;

/**
 * The inner loops, for one worker each; {@link CpuBackend} shares the work out. Implementations keep no state.
 *
 * <p>Matrix products work on <em>panels</em>: consecutive rows side by side, so that element k of all of them is read at
 * once. The rows of a product are cut into panels of the kernels' choice, the last one padded:
 *
 * <pre>
 *   rows r0 r1 … of x, each (in)      panel of width w, (in, w)
 *   r0: k0 k1 k2 …                    k0: r0 r1 … r(w−1)
 *   r1: k0 k1 k2 …              →     k1: r0 r1 … r(w−1)
 *   …                                 …
 * </pre>
 *
 * A panel of width 1 is a plain row. The panel that begins with row s begins at s · in of its buffer, and a product is laid
 * out like what it came from, so that it can be the next product's input.
 */
interface Kernels {
    /** Room for outputs is a multiple of this; a product may write rubbish to what is too much. */
    int OUTPUT_STEP = 12;

    /**
     * Ranges of elements that are placed in a panel piece by piece start at a multiple of this.
     */
    int PLACE_STEP = 32;

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
     * gate = silu(gate) ⊙ up, silu(x) being x / (1 + e^−x).
     *
     * @param gate overwritten
     * @param up the other factor
     * @param count length
     */
    void gate(float[] gate, float[] up, int count);

    /**
     * @param rows rows of a product
     * @param start the first row of a panel
     * @return width of that panel: the same for all but the last, which may be narrower; what is beyond {@code rows} is
     *     padding
     */
    int panelWidth(int rows, int start);

    /**
     * @param rows rows of a product
     * @return their panels' widths together
     */
    default int panelRows(int rows) {
        int start = 0;
        while (start < rows) {
            start += panelWidth(rows, start);
        }
        return start;
    }

    /**
     * Lays rows out as a panel, in the order in which weights are read: the kernels' choice, the same for all types, so
     * that weights of different types can take the same panel.
     *
     * @param x (·, in)
     * @param rowIndex which rows of x
     * @param first where in {@code rowIndex} the panel's first row is
     * @param rows how many there are, at most {@code width}
     * @param in length of a row
     * @param width width of the panel
     * @param panel receives (in, width)
     * @param panelOffset where it starts
     */
    void pack(float[] x, int[] rowIndex, int first, int rows, int in, int width, float[] panel, int panelOffset);

    /**
     * Places outputs of one product where the next one reads them as its input.
     *
     * @param y (to − from, width)
     * @param yOffset where it starts
     * @param from index of the first, a multiple of {@link #PLACE_STEP}
     * @param to one past the last, likewise except at the end
     * @param in length of the next product's input
     * @param width width of the panel
     * @param panel receives its part of (in, width)
     * @param panelOffset where the panel starts
     */
    void place(float[] y, int yOffset, int from, int to, int in, int width, float[] panel, int panelOffset);

    /**
     * Σ_k weight[o][k] · x[row][k], for outputs from ≤ o &lt; to and all rows.
     *
     * @param weight (out, in)
     * @param from first output
     * @param to one past the last output
     * @param x holds the panels
     * @param xOffset where the first one starts
     * @param rows number of rows
     * @param y receives for the panel that begins with row s, at s · {@link #room}: (o − from, width)
     * @param scratch the worker's buffers
     */
    void product(Tensor weight, int from, int to, float[] x, int xOffset, int rows, float[] y, Scratch scratch);

    /**
     * Σ_k matrix[o][k] · x[k], for outputs from ≤ o &lt; to and one row.
     *
     * @param dtype type of the elements
     * @param matrix the bytes of (out, in)
     * @param in length of a row
     * @param from first output
     * @param to one past the last output
     * @param x holds the row, as a panel of width 1
     * @param xOffset where it starts
     * @param y receives the outputs, from 0
     * @param scratch the worker's buffers
     */
    void row(
            DType dtype,
            MemorySegment matrix,
            int in,
            int from,
            int to,
            float[] x,
            int xOffset,
            float[] y,
            Scratch scratch);

    /**
     * @param outputs outputs of a product
     * @return room that they take per row
     */
    static int room(int outputs) {
        return Math.ceilDiv(outputs, OUTPUT_STEP) * OUTPUT_STEP;
    }

    /**
     * Computes the partials of one item.
     *
     * @param item the item; not completed here
     * @param scratch the worker's buffers
     */
    void attend(AttentionItem item, Scratch scratch);
}
