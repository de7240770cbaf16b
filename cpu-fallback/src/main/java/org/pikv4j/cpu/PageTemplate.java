package org.pikv4j.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/** Four rows by two vectors of columns in eight accumulators; see {@link DotTemplate} for why they are spelled out. */
final class PageTemplate implements PageKernel {
    private static final PairLoad LOAD = Specialised.parameter(MethodHandles.lookup(), PairLoad.class);
    private static final VectorSpecies<Float> FLOATS = LOAD.floats();
    private static final int LANES = FLOATS.length();
    private static final int STEP = 2 * LANES;
    private static final int ELEMENT = LOAD.dtype().bytes();
    private static final boolean INTERLEAVED = LOAD.interleaved();
    private static final VectorShuffle<Float> ZIP_LOW = VectorShuffle.makeZip(FLOATS, 0);
    private static final VectorShuffle<Float> ZIP_HIGH = VectorShuffle.makeZip(FLOATS, 1);

    @Override
    public int step() {
        return STEP;
    }

    @Override
    public void product(
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
        FloatVector lo0 = FloatVector.zero(FLOATS);
        FloatVector lo1 = lo0;
        FloatVector lo2 = lo0;
        FloatVector lo3 = lo0;
        FloatVector hi0 = lo0;
        FloatVector hi1 = lo0;
        FloatVector hi2 = lo0;
        FloatVector hi3 = lo0;
        int a1 = aOffset + aStride;
        int a2 = a1 + aStride;
        int a3 = a2 + aStride;
        for (int i = from; i < to; i++) {
            long at = ((long) i * columns + column) * ELEMENT;
            FloatVector lo = LOAD.first(m, at);
            FloatVector hi = LOAD.second(m, at);
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
        store(lo0, hi0, y, yAt);
        store(lo1, hi1, y, yAt + yStride);
        store(lo2, hi2, y, yAt + 2 * yStride);
        store(lo3, hi3, y, yAt + 3 * yStride);
    }

    private static void store(FloatVector lo, FloatVector hi, float[] y, int at) {
        if (INTERLEAVED) {
            lo.rearrange(ZIP_LOW, hi).intoArray(y, at);
            lo.rearrange(ZIP_HIGH, hi).intoArray(y, at + LANES);
        } else {
            lo.intoArray(y, at);
            hi.intoArray(y, at + LANES);
        }
    }
}
