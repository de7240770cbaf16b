package org.pikv4j.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Weights stay where and as they are: each vector of them is widened in registers and used for several rows of x. One row
 * (decode) takes four outputs at a time, so that four streams of weights hide each other's latency; several rows (prefill)
 * take tiles of 4 rows by 2 outputs, whose eight accumulators are what sixteen registers allow. Accumulators are local
 * variables throughout: in an array they would be boxed.
 */
final class DotTemplate implements DotKernel {
    private static final PairLoad LOAD = Specialised.parameter(MethodHandles.lookup(), PairLoad.class);
    private static final VectorSpecies<Float> FLOATS = LOAD.floats();
    private static final int LANES = FLOATS.length();
    private static final int STEP = 2 * LANES;
    private static final int ELEMENT = LOAD.dtype().bytes();
    private static final int STEP_BYTES = STEP * ELEMENT;

    @Override
    public void product(
            MemorySegment weight,
            int in,
            int from,
            int to,
            float[] x,
            int[] rowIndex,
            int first,
            int rows,
            float[] y,
            int yOffset,
            int yStride) {
        if (rows == 1) {
            for (int o = from; o < to; o += 4) {
                oneRow(weight, in, o, to, x, rowIndex[first] * in, y, yOffset + o - from);
            }
            return;
        }
        for (int i = 0; i < rows; i += 4) {
            int last = rows - 1;
            int x0 = rowIndex[first + i] * in;
            int x1 = rowIndex[first + Math.min(i + 1, last)] * in;
            int x2 = rowIndex[first + Math.min(i + 2, last)] * in;
            int x3 = rowIndex[first + Math.min(i + 3, last)] * in;
            int valid = Math.min(4, rows - i);
            for (int o = from; o < to; o += 2) {
                tile(weight, in, o, to, x, x0, x1, x2, x3, valid, y, yOffset + i * yStride + o - from, yStride);
            }
        }
    }

    /** Four outputs of one row; beyond {@code to} the last output is computed again and dropped. */
    private static void oneRow(MemorySegment weight, int in, int o, int to, float[] x, int xAt, float[] y, int yAt) {
        long rowBytes = (long) in * ELEMENT;
        long w0 = o * rowBytes;
        long w1 = Math.min(o + 1, to - 1) * rowBytes;
        long w2 = Math.min(o + 2, to - 1) * rowBytes;
        long w3 = Math.min(o + 3, to - 1) * rowBytes;
        FloatVector a0 = FloatVector.zero(FLOATS);
        FloatVector a1 = a0;
        FloatVector a2 = a0;
        FloatVector a3 = a0;
        FloatVector b0 = a0;
        FloatVector b1 = a0;
        FloatVector b2 = a0;
        FloatVector b3 = a0;
        int whole = in / STEP * STEP;
        for (int k = 0; k < whole; k += STEP) {
            FloatVector xa = FloatVector.fromArray(FLOATS, x, xAt + k);
            FloatVector xb = FloatVector.fromArray(FLOATS, x, xAt + k + LANES);
            long at = (long) k * ELEMENT;
            a0 = LOAD.first(weight, w0 + at).fma(xa, a0);
            b0 = LOAD.second(weight, w0 + at).fma(xb, b0);
            a1 = LOAD.first(weight, w1 + at).fma(xa, a1);
            b1 = LOAD.second(weight, w1 + at).fma(xb, b1);
            a2 = LOAD.first(weight, w2 + at).fma(xa, a2);
            b2 = LOAD.second(weight, w2 + at).fma(xb, b2);
            a3 = LOAD.first(weight, w3 + at).fma(xa, a3);
            b3 = LOAD.second(weight, w3 + at).fma(xb, b3);
        }
        int valid = Math.min(4, to - o);
        y[yAt] = a0.add(b0).reduceLanes(VectorOperators.ADD) + tail(weight, w0, in, whole, x, xAt);
        if (valid > 1) {
            y[yAt + 1] = a1.add(b1).reduceLanes(VectorOperators.ADD) + tail(weight, w1, in, whole, x, xAt);
        }
        if (valid > 2) {
            y[yAt + 2] = a2.add(b2).reduceLanes(VectorOperators.ADD) + tail(weight, w2, in, whole, x, xAt);
        }
        if (valid > 3) {
            y[yAt + 3] = a3.add(b3).reduceLanes(VectorOperators.ADD) + tail(weight, w3, in, whole, x, xAt);
        }
    }

    /** Two outputs of four rows; rows beyond {@code valid} repeat the last one and are dropped. */
    private static void tile(
            MemorySegment weight,
            int in,
            int o,
            int to,
            float[] x,
            int x0,
            int x1,
            int x2,
            int x3,
            int valid,
            float[] y,
            int yAt,
            int yStride) {
        long rowBytes = (long) in * ELEMENT;
        long wa = o * rowBytes;
        long wb = Math.min(o + 1, to - 1) * rowBytes;
        FloatVector a0 = FloatVector.zero(FLOATS);
        FloatVector a1 = a0;
        FloatVector a2 = a0;
        FloatVector a3 = a0;
        FloatVector b0 = a0;
        FloatVector b1 = a0;
        FloatVector b2 = a0;
        FloatVector b3 = a0;
        int whole = in / STEP * STEP;
        for (int k = 0; k < whole; k += STEP) {
            long at = (long) k * ELEMENT;
            FloatVector r0 = FloatVector.fromArray(FLOATS, x, x0 + k);
            FloatVector r1 = FloatVector.fromArray(FLOATS, x, x1 + k);
            FloatVector r2 = FloatVector.fromArray(FLOATS, x, x2 + k);
            FloatVector r3 = FloatVector.fromArray(FLOATS, x, x3 + k);
            FloatVector w = LOAD.first(weight, wa + at);
            a0 = w.fma(r0, a0);
            a1 = w.fma(r1, a1);
            a2 = w.fma(r2, a2);
            a3 = w.fma(r3, a3);
            w = LOAD.first(weight, wb + at);
            b0 = w.fma(r0, b0);
            b1 = w.fma(r1, b1);
            b2 = w.fma(r2, b2);
            b3 = w.fma(r3, b3);
            r0 = FloatVector.fromArray(FLOATS, x, x0 + k + LANES);
            r1 = FloatVector.fromArray(FLOATS, x, x1 + k + LANES);
            r2 = FloatVector.fromArray(FLOATS, x, x2 + k + LANES);
            r3 = FloatVector.fromArray(FLOATS, x, x3 + k + LANES);
            w = LOAD.second(weight, wa + at);
            a0 = w.fma(r0, a0);
            a1 = w.fma(r1, a1);
            a2 = w.fma(r2, a2);
            a3 = w.fma(r3, a3);
            w = LOAD.second(weight, wb + at);
            b0 = w.fma(r0, b0);
            b1 = w.fma(r1, b1);
            b2 = w.fma(r2, b2);
            b3 = w.fma(r3, b3);
        }
        boolean both = o + 1 < to;
        store(a0, b0, both, weight, wa, wb, in, whole, x, x0, y, yAt);
        if (valid > 1) {
            store(a1, b1, both, weight, wa, wb, in, whole, x, x1, y, yAt + yStride);
        }
        if (valid > 2) {
            store(a2, b2, both, weight, wa, wb, in, whole, x, x2, y, yAt + 2 * yStride);
        }
        if (valid > 3) {
            store(a3, b3, both, weight, wa, wb, in, whole, x, x3, y, yAt + 3 * yStride);
        }
    }

    private static void store(
            FloatVector a,
            FloatVector b,
            boolean both,
            MemorySegment weight,
            long wa,
            long wb,
            int in,
            int whole,
            float[] x,
            int xAt,
            float[] y,
            int yAt) {
        y[yAt] = a.reduceLanes(VectorOperators.ADD) + tail(weight, wa, in, whole, x, xAt);
        if (both) {
            y[yAt + 1] = b.reduceLanes(VectorOperators.ADD) + tail(weight, wb, in, whole, x, xAt);
        }
    }

    /** What is left of a row that is no multiple of the step; not rearranged. */
    private static float tail(MemorySegment weight, long rowAt, int in, int whole, float[] x, int xAt) {
        float sum = 0f;
        for (int k = whole; k < in; k++) {
            sum += LOAD.dtype().read(weight, rowAt + (long) k * ELEMENT) * x[xAt + k];
        }
        return sum;
    }
}
