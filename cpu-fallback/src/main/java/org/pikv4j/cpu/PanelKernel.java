package org.pikv4j.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The micro-kernels of matrix products: a piece of a panel, (count, width) with rows as lanes, times widened weights,
 * (outputs, count), each of which is broadcast (Goto and van de Geijn, "Anatomy of High-Performance Matrix
 * Multiplication", ACM TOMS 34, 2008). Twelve accumulators, in local variables, and what feeds them are what sixteen
 * registers hold: 6 outputs × 2 vectors for a wide panel, 12 outputs × 1 vector for a narrow one.
 */
final class PanelKernel {
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = FLOATS.length();

    private PanelKernel() {}

    /**
     * y += w · x.
     *
     * @param w holds (outputs, stride)
     * @param wAt where the piece starts
     * @param stride distance between rows of w; no multiple of a large power of two, or rows displace each other in the
     *     first-level cache
     * @param outputs a multiple of {@link Kernels#OUTPUT_STEP}
     * @param count length of the sums
     * @param wide whether the panel is two vectors wide, or one
     * @param x (count, width)
     * @param xAt where it starts
     * @param y (outputs, width)
     * @param yAt where it starts
     */
    static void add(
            float[] w,
            int wAt,
            int stride,
            int outputs,
            int count,
            boolean wide,
            float[] x,
            int xAt,
            float[] y,
            int yAt) {
        if (wide) {
            for (int o = 0; o < outputs; o += 6) {
                six(w, wAt + o * stride, stride, count, x, xAt, y, yAt + o * 2 * LANES);
            }
        } else {
            for (int o = 0; o < outputs; o += 12) {
                twelve(w, wAt + o * stride, stride, count, x, xAt, y, yAt + o * LANES);
            }
        }
    }

    private static void six(float[] w, int w0, int stride, int count, float[] x, int xAt, float[] y, int yAt) {
        int w1 = w0 + stride;
        int w2 = w1 + stride;
        int w3 = w2 + stride;
        int w4 = w3 + stride;
        int w5 = w4 + stride;
        FloatVector a0 = FloatVector.fromArray(FLOATS, y, yAt);
        FloatVector b0 = FloatVector.fromArray(FLOATS, y, yAt + LANES);
        FloatVector a1 = FloatVector.fromArray(FLOATS, y, yAt + 2 * LANES);
        FloatVector b1 = FloatVector.fromArray(FLOATS, y, yAt + 3 * LANES);
        FloatVector a2 = FloatVector.fromArray(FLOATS, y, yAt + 4 * LANES);
        FloatVector b2 = FloatVector.fromArray(FLOATS, y, yAt + 5 * LANES);
        FloatVector a3 = FloatVector.fromArray(FLOATS, y, yAt + 6 * LANES);
        FloatVector b3 = FloatVector.fromArray(FLOATS, y, yAt + 7 * LANES);
        FloatVector a4 = FloatVector.fromArray(FLOATS, y, yAt + 8 * LANES);
        FloatVector b4 = FloatVector.fromArray(FLOATS, y, yAt + 9 * LANES);
        FloatVector a5 = FloatVector.fromArray(FLOATS, y, yAt + 10 * LANES);
        FloatVector b5 = FloatVector.fromArray(FLOATS, y, yAt + 11 * LANES);
        for (int k = 0; k < count; k++) {
            FloatVector p = FloatVector.fromArray(FLOATS, x, xAt + k * 2 * LANES);
            FloatVector q = FloatVector.fromArray(FLOATS, x, xAt + k * 2 * LANES + LANES);
            FloatVector f = FloatVector.broadcast(FLOATS, w[w0 + k]);
            a0 = f.fma(p, a0);
            b0 = f.fma(q, b0);
            f = FloatVector.broadcast(FLOATS, w[w1 + k]);
            a1 = f.fma(p, a1);
            b1 = f.fma(q, b1);
            f = FloatVector.broadcast(FLOATS, w[w2 + k]);
            a2 = f.fma(p, a2);
            b2 = f.fma(q, b2);
            f = FloatVector.broadcast(FLOATS, w[w3 + k]);
            a3 = f.fma(p, a3);
            b3 = f.fma(q, b3);
            f = FloatVector.broadcast(FLOATS, w[w4 + k]);
            a4 = f.fma(p, a4);
            b4 = f.fma(q, b4);
            f = FloatVector.broadcast(FLOATS, w[w5 + k]);
            a5 = f.fma(p, a5);
            b5 = f.fma(q, b5);
        }
        a0.intoArray(y, yAt);
        b0.intoArray(y, yAt + LANES);
        a1.intoArray(y, yAt + 2 * LANES);
        b1.intoArray(y, yAt + 3 * LANES);
        a2.intoArray(y, yAt + 4 * LANES);
        b2.intoArray(y, yAt + 5 * LANES);
        a3.intoArray(y, yAt + 6 * LANES);
        b3.intoArray(y, yAt + 7 * LANES);
        a4.intoArray(y, yAt + 8 * LANES);
        b4.intoArray(y, yAt + 9 * LANES);
        a5.intoArray(y, yAt + 10 * LANES);
        b5.intoArray(y, yAt + 11 * LANES);
    }

    private static void twelve(float[] w, int w0, int stride, int count, float[] x, int xAt, float[] y, int yAt) {
        FloatVector a0 = FloatVector.fromArray(FLOATS, y, yAt);
        FloatVector a1 = FloatVector.fromArray(FLOATS, y, yAt + LANES);
        FloatVector a2 = FloatVector.fromArray(FLOATS, y, yAt + 2 * LANES);
        FloatVector a3 = FloatVector.fromArray(FLOATS, y, yAt + 3 * LANES);
        FloatVector a4 = FloatVector.fromArray(FLOATS, y, yAt + 4 * LANES);
        FloatVector a5 = FloatVector.fromArray(FLOATS, y, yAt + 5 * LANES);
        FloatVector a6 = FloatVector.fromArray(FLOATS, y, yAt + 6 * LANES);
        FloatVector a7 = FloatVector.fromArray(FLOATS, y, yAt + 7 * LANES);
        FloatVector a8 = FloatVector.fromArray(FLOATS, y, yAt + 8 * LANES);
        FloatVector a9 = FloatVector.fromArray(FLOATS, y, yAt + 9 * LANES);
        FloatVector a10 = FloatVector.fromArray(FLOATS, y, yAt + 10 * LANES);
        FloatVector a11 = FloatVector.fromArray(FLOATS, y, yAt + 11 * LANES);
        for (int k = 0; k < count; k++) {
            FloatVector p = FloatVector.fromArray(FLOATS, x, xAt + k * LANES);
            int at = w0 + k;
            a0 = FloatVector.broadcast(FLOATS, w[at]).fma(p, a0);
            a1 = FloatVector.broadcast(FLOATS, w[at + stride]).fma(p, a1);
            a2 = FloatVector.broadcast(FLOATS, w[at + 2 * stride]).fma(p, a2);
            a3 = FloatVector.broadcast(FLOATS, w[at + 3 * stride]).fma(p, a3);
            a4 = FloatVector.broadcast(FLOATS, w[at + 4 * stride]).fma(p, a4);
            a5 = FloatVector.broadcast(FLOATS, w[at + 5 * stride]).fma(p, a5);
            a6 = FloatVector.broadcast(FLOATS, w[at + 6 * stride]).fma(p, a6);
            a7 = FloatVector.broadcast(FLOATS, w[at + 7 * stride]).fma(p, a7);
            a8 = FloatVector.broadcast(FLOATS, w[at + 8 * stride]).fma(p, a8);
            a9 = FloatVector.broadcast(FLOATS, w[at + 9 * stride]).fma(p, a9);
            a10 = FloatVector.broadcast(FLOATS, w[at + 10 * stride]).fma(p, a10);
            a11 = FloatVector.broadcast(FLOATS, w[at + 11 * stride]).fma(p, a11);
        }
        a0.intoArray(y, yAt);
        a1.intoArray(y, yAt + LANES);
        a2.intoArray(y, yAt + 2 * LANES);
        a3.intoArray(y, yAt + 3 * LANES);
        a4.intoArray(y, yAt + 4 * LANES);
        a5.intoArray(y, yAt + 5 * LANES);
        a6.intoArray(y, yAt + 6 * LANES);
        a7.intoArray(y, yAt + 7 * LANES);
        a8.intoArray(y, yAt + 8 * LANES);
        a9.intoArray(y, yAt + 9 * LANES);
        a10.intoArray(y, yAt + 10 * LANES);
        a11.intoArray(y, yAt + 11 * LANES);
    }
}
