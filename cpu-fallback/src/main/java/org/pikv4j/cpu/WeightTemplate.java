package org.pikv4j.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Weights stay where and as they are: each vector of them is widened in registers. Accumulators are local variables
 * throughout: in an array they would be boxed.
 *
 * <p>A row takes four outputs at a time, a quarter of the range apart, so that memory is read as four long streams. Four
 * neighbouring outputs would touch each 4 KiB page for too short a time for the processor's prefetcher: half the speed
 * where rows are 2 KiB. A single stream leaves the additions waiting for memory.
 */
final class WeightTemplate implements WeightKernel {
    private static final PairLoad LOAD = Specialised.parameter(MethodHandles.lookup(), PairLoad.class);
    private static final VectorSpecies<Float> FLOATS = LOAD.floats();
    private static final int LANES = FLOATS.length();
    private static final int STEP = 2 * LANES;
    private static final int ELEMENT = LOAD.dtype().bytes();
    private static final boolean INTERLEAVED = LOAD.interleaved();
    private static final PairOrder ORDER = new PairOrder(FLOATS);
    private static final int STREAMS = 4;

    @Override
    public void row(MemorySegment weight, int in, int from, int to, float[] x, int xOffset, float[] y, int yOffset) {
        int apart = (to - from) / STREAMS;
        int start = from;
        for (; start < from + apart; start++) {
            streams(weight, in, start, apart, x, xOffset, y, yOffset + start - from);
        }
        // What is left at the end, fewer than four, is computed in place of four and, but for one, dropped.
        for (int o = from + STREAMS * apart; o < to; o++) {
            streams(weight, in, o, 0, x, xOffset, y, yOffset + o - from);
        }
    }

    /** The outputs o, o + apart, o + 2·apart and o + 3·apart. */
    private static void streams(
            MemorySegment weight, int in, int o, int apart, float[] x, int xAt, float[] y, int yAt) {
        long rowBytes = (long) in * ELEMENT;
        long w0 = o * rowBytes;
        long w1 = w0 + apart * rowBytes;
        long w2 = w1 + apart * rowBytes;
        long w3 = w2 + apart * rowBytes;
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
            FloatVector even = FloatVector.fromArray(FLOATS, x, xAt + k);
            FloatVector odd = FloatVector.fromArray(FLOATS, x, xAt + k + LANES);
            FloatVector xa = INTERLEAVED ? even : ORDER.low(even, odd);
            FloatVector xb = INTERLEAVED ? odd : ORDER.high(even, odd);
            long at = (long) k * ELEMENT;
            FloatVector w = LOAD.load(weight, w0 + at);
            a0 = LOAD.first(w).fma(xa, a0);
            b0 = LOAD.second(w, weight, w0 + at).fma(xb, b0);
            w = LOAD.load(weight, w1 + at);
            a1 = LOAD.first(w).fma(xa, a1);
            b1 = LOAD.second(w, weight, w1 + at).fma(xb, b1);
            w = LOAD.load(weight, w2 + at);
            a2 = LOAD.first(w).fma(xa, a2);
            b2 = LOAD.second(w, weight, w2 + at).fma(xb, b2);
            w = LOAD.load(weight, w3 + at);
            a3 = LOAD.first(w).fma(xa, a3);
            b3 = LOAD.second(w, weight, w3 + at).fma(xb, b3);
        }
        y[yAt] = a0.add(b0).reduceLanes(VectorOperators.ADD) + tail(weight, w0, in, whole, x, xAt);
        y[yAt + apart] = a1.add(b1).reduceLanes(VectorOperators.ADD) + tail(weight, w1, in, whole, x, xAt);
        y[yAt + 2 * apart] = a2.add(b2).reduceLanes(VectorOperators.ADD) + tail(weight, w2, in, whole, x, xAt);
        y[yAt + 3 * apart] = a3.add(b3).reduceLanes(VectorOperators.ADD) + tail(weight, w3, in, whole, x, xAt);
    }

    /** What is left of a row that is no multiple of the step; not rearranged. */
    private static float tail(MemorySegment weight, long rowAt, int in, int whole, float[] x, int xAt) {
        float sum = 0f;
        for (int k = whole; k < in; k++) {
            sum += LOAD.dtype().read(weight, rowAt + (long) k * ELEMENT) * x[xAt + k];
        }
        return sum;
    }

    @Override
    public void widen(MemorySegment weight, int in, int from, int to, int first, int count, float[] wide, int stride) {
        int whole = count / STEP * STEP;
        for (int o = from; o < to; o++) {
            long rowAt = ((long) o * in + first) * ELEMENT;
            int at = (o - from) * stride;
            for (int k = 0; k < whole; k += STEP) {
                long offset = rowAt + (long) k * ELEMENT;
                FloatVector stored = LOAD.load(weight, offset);
                FloatVector low = LOAD.first(stored);
                FloatVector high = LOAD.second(stored, weight, offset);
                (INTERLEAVED ? low : ORDER.even(low, high)).intoArray(wide, at + k);
                (INTERLEAVED ? high : ORDER.odd(low, high)).intoArray(wide, at + k + LANES);
            }
            LOAD.dtype().read(weight, rowAt + (long) whole * ELEMENT, wide, at + whole, count - whole);
        }
    }
}
