package org.pikv4j.cpu;

import java.lang.invoke.MethodHandles;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/** Four rows by two vectors of columns in eight accumulators; see {@link WeightTemplate} for why they are spelled out. */
final class PageTemplate<S> implements PageKernel<S> {

    private static final PageLoad<?> LOAD = Specialised.parameter(MethodHandles.lookup(), PageLoad.class);
    private static final VectorSpecies<Float> FLOATS = LOAD.floats();
    private static final int LANES = FLOATS.length();
    private static final int STEP = 2 * LANES;
    private static final boolean INTERLEAVED = LOAD.interleaved();
    private static final PairOrder ORDER = new PairOrder(FLOATS);

    @SuppressWarnings("unchecked") // a copy is made for what it reads
    private static <S> PageLoad<S> loader() {
        return (PageLoad<S>) LOAD;
    }

    @Override
    public boolean fits(int columns) {
        return LOAD.fits(columns);
    }

    @Override
    public int grain() {
        return LOAD.grain();
    }

    @Override
    public void add(
            S m,
            long mOffset,
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
        for (int pair = firstColumn / STEP; pair < lastColumn / STEP; pair++) {
            block(m, mOffset, columns, pair, from, to, a, aOffset, aStride, y, yOffset, yStride);
        }
    }

    private static <S> void block(
            S m,
            long mOffset,
            int columns,
            int pair,
            int from,
            int to,
            float[] a,
            int aOffset,
            int aStride,
            float[] y,
            int yOffset,
            int yStride) {
        PageLoad<S> loader = loader();
        long start = mOffset + loader.at(columns, pair);
        long stride = loader.stride(columns);
        int part = loader.part(columns, pair);
        int a1 = aOffset + aStride;
        int a2 = a1 + aStride;
        int a3 = a2 + aStride;
        int y0 = yOffset + loader.column(columns, pair);
        int apart = loader.apart(columns, pair);
        int y1 = y0 + yStride;
        int y2 = y1 + yStride;
        int y3 = y2 + yStride;
        FloatVector lo0 = FloatVector.fromArray(FLOATS, y, y0);
        FloatVector hi0 = FloatVector.fromArray(FLOATS, y, y0 + apart);
        FloatVector lo1 = FloatVector.fromArray(FLOATS, y, y1);
        FloatVector hi1 = FloatVector.fromArray(FLOATS, y, y1 + apart);
        FloatVector lo2 = FloatVector.fromArray(FLOATS, y, y2);
        FloatVector hi2 = FloatVector.fromArray(FLOATS, y, y2 + apart);
        FloatVector lo3 = FloatVector.fromArray(FLOATS, y, y3);
        FloatVector hi3 = FloatVector.fromArray(FLOATS, y, y3 + apart);
        long at = start + from * stride;
        for (int i = from; i < to; i++, at += stride) {
            IntVector loaded = loader.load(m, at);
            IntVector more = loader.more(loaded, m, at);
            FloatVector lo = loader.first(loaded, more, part);
            FloatVector hi = loader.second(loaded, more, part);
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
        lo0.intoArray(y, y0);
        hi0.intoArray(y, y0 + apart);
        lo1.intoArray(y, y1);
        hi1.intoArray(y, y1 + apart);
        lo2.intoArray(y, y2);
        hi2.intoArray(y, y2 + apart);
        lo3.intoArray(y, y3);
        hi3.intoArray(y, y3 + apart);
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

    @Override
    public void widen(S m, long mOffset, int columns, int rows, float[] out) {
        PageLoad<S> loader = loader();
        long stride = loader.stride(columns);
        for (int pair = 0; pair < columns / STEP; pair++) {
            long start = mOffset + loader.at(columns, pair);
            int part = loader.part(columns, pair);
            int into = loader.column(columns, pair);
            int apart = loader.apart(columns, pair);
            for (int i = 0; i < rows; i++, into += columns) {
                long at = start + i * stride;
                IntVector loaded = loader.load(m, at);
                IntVector more = loader.more(loaded, m, at);
                FloatVector lo = loader.first(loaded, more, part);
                FloatVector hi = loader.second(loaded, more, part);
                (INTERLEAVED ? ORDER.low(lo, hi) : lo).intoArray(out, into);
                (INTERLEAVED ? ORDER.high(lo, hi) : hi).intoArray(out, into + apart);
            }
        }
    }
}
