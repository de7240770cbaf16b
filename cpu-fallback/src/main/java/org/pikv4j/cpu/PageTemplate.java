package org.pikv4j.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** Four rows by two vectors of columns in eight accumulators; see {@link WeightTemplate} for why they are spelled out. */
final class PageTemplate implements PageKernel {
    private static final PairLoad LOAD = Specialised.parameter(MethodHandles.lookup(), PairLoad.class);
    private static final VectorSpecies<Float> FLOATS = LOAD.floats();
    private static final int LANES = FLOATS.length();
    private static final int STEP = 2 * LANES;
    private static final int ELEMENT = LOAD.dtype().bytes();
    private static final boolean INTERLEAVED = LOAD.interleaved();
    private static final PairOrder ORDER = new PairOrder(FLOATS);

    @Override
    public int step() {
        return STEP;
    }

    @Override
    public void add(
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
            int yStride) {
        for (int c = firstColumn; c < lastColumn; c += STEP) {
            block(m, columns, from, to, c, a, aOffset, aStride, y, yOffset + c, yStride);
        }
    }

    private static void block(
            MemorySegment m,
            int columns,
            int from,
            int to,
            int column,
            float[] a,
            int aOffset,
            int aStride,
            float[] y,
            int yAt,
            int yStride) {
        int y1 = yAt + yStride;
        int y2 = y1 + yStride;
        int y3 = y2 + yStride;
        FloatVector lo0 = FloatVector.fromArray(FLOATS, y, yAt);
        FloatVector hi0 = FloatVector.fromArray(FLOATS, y, yAt + LANES);
        FloatVector lo1 = FloatVector.fromArray(FLOATS, y, y1);
        FloatVector hi1 = FloatVector.fromArray(FLOATS, y, y1 + LANES);
        FloatVector lo2 = FloatVector.fromArray(FLOATS, y, y2);
        FloatVector hi2 = FloatVector.fromArray(FLOATS, y, y2 + LANES);
        FloatVector lo3 = FloatVector.fromArray(FLOATS, y, y3);
        FloatVector hi3 = FloatVector.fromArray(FLOATS, y, y3 + LANES);
        int a1 = aOffset + aStride;
        int a2 = a1 + aStride;
        int a3 = a2 + aStride;
        for (int i = from; i < to; i++) {
            long at = ((long) i * columns + column) * ELEMENT;
            FloatVector stored = LOAD.load(m, at);
            FloatVector lo = LOAD.first(stored);
            FloatVector hi = LOAD.second(stored, m, at);
            FloatVector f = FloatVector.broadcast(FLOATS, a[aOffset + i]);
            lo0 = lo.fma(f, lo0);
            hi0 = hi.fma(f, hi0);
            f = FloatVector.broadcast(FLOATS, a[a1 + i]);
            lo1 = lo.fma(f, lo1);
            hi1 = hi.fma(f, hi1);
            f = FloatVector.broadcast(FLOATS, a[a2 + i]);
            lo2 = lo.fma(f, lo2);
            hi2 = hi.fma(f, hi2);
            f = FloatVector.broadcast(FLOATS, a[a3 + i]);
            lo3 = lo.fma(f, lo3);
            hi3 = hi.fma(f, hi3);
        }
        lo0.intoArray(y, yAt);
        hi0.intoArray(y, yAt + LANES);
        lo1.intoArray(y, y1);
        hi1.intoArray(y, y1 + LANES);
        lo2.intoArray(y, y2);
        hi2.intoArray(y, y2 + LANES);
        lo3.intoArray(y, y3);
        hi3.intoArray(y, y3 + LANES);
    }

    @Override
    public void restore(float[] y, int at, int count) {
        for (int i = at; INTERLEAVED && i < at + count; i += STEP) {
            FloatVector even = FloatVector.fromArray(FLOATS, y, i);
            FloatVector odd = FloatVector.fromArray(FLOATS, y, i + LANES);
            ORDER.low(even, odd).intoArray(y, i);
            ORDER.high(even, odd).intoArray(y, i + LANES);
        }
    }
}
