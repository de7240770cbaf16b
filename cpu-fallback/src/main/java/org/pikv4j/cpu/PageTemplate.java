package org.pikv4j.cpu;

import java.lang.invoke.MethodHandles;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Four rows by two vectors of columns, a pair, in eight accumulators; see {@link WeightTemplate} for why they are spelled out.
 * Products stand pair by pair, of each pair row by row.
 *
 * <p>The length of a row is a constant of each copy: where a row starts is then a multiple that the compiler knows, and it
 * tests once, and not for each row, whether a page's bytes are within bounds.
 */
final class PageTemplate<S> implements PageKernel<S> {

    /**
     * What a copy is made for.
     *
     * @param load how rows are read
     * @param columns length of a row
     * @param scaled what becomes of sums
     */
    record Use(PageLoad<?> load, int columns, Scaled scaled) {}

    private static final Use USE = Specialised.parameter(MethodHandles.lookup(), Use.class);
    private static final PageLoad<?> LOAD = USE.load();
    private static final int COLUMNS = USE.columns();
    private static final Scaled SCALED = USE.scaled();
    private static final VectorSpecies<Float> FLOATS = LOAD.floats();
    private static final int LANES = FLOATS.length();
    private static final int STEP = 2 * LANES;
    private static final long STRIDE = LOAD.stride(COLUMNS);
    private static final boolean INTERLEAVED = LOAD.interleaved();
    private static final PairOrder ORDER = new PairOrder(FLOATS);

    @SuppressWarnings("unchecked") // a copy is made for what it reads
    private static <S> PageLoad<S> loader() {
        return (PageLoad<S>) LOAD;
    }

    @Override
    public int columns() {
        return COLUMNS;
    }

    @Override
    public int grain() {
        return LOAD.grain();
    }

    @Override
    public void add(
            S m,
            long mOffset,
            int from,
            int to,
            int firstColumn,
            int lastColumn,
            float[] a,
            int aOffset,
            Scaling scaling,
            float[] y,
            int yOffset) {
        for (int pair = firstColumn / STEP; pair < lastColumn / STEP; pair++) {
            int at = yOffset + pair * ROWS * STEP;
            block(m, mOffset, pair, from, to, a, aOffset, scaling, y, at);
            if (SCALED != Scaled.NOT) {
                finish(pair, scaling, y, at);
            }
        }
    }

    private static <S> void block(
            S m,
            long mOffset,
            int pair,
            int from,
            int to,
            float[] a,
            int aOffset,
            Scaling scaling,
            float[] y,
            int yOffset) {
        PageLoad<S> loader = loader();
        long start = mOffset + loader.at(COLUMNS, pair);
        int part = loader.part(COLUMNS, pair);
        float[] sums = SCALED == Scaled.NOT ? y : scaling.sums;
        int s0 = SCALED == Scaled.NOT ? yOffset : 0;
        int s1 = s0 + STEP;
        int s2 = s1 + STEP;
        int s3 = s2 + STEP;
        if (SCALED != Scaled.NOT) {
            Arrays.fill(sums, 0, ROWS * STEP, 0f);
        }
        FloatVector lo0 = FloatVector.fromArray(FLOATS, sums, s0);
        FloatVector hi0 = FloatVector.fromArray(FLOATS, sums, s0 + LANES);
        FloatVector lo1 = FloatVector.fromArray(FLOATS, sums, s1);
        FloatVector hi1 = FloatVector.fromArray(FLOATS, sums, s1 + LANES);
        FloatVector lo2 = FloatVector.fromArray(FLOATS, sums, s2);
        FloatVector hi2 = FloatVector.fromArray(FLOATS, sums, s2 + LANES);
        FloatVector lo3 = FloatVector.fromArray(FLOATS, sums, s3);
        FloatVector hi3 = FloatVector.fromArray(FLOATS, sums, s3 + LANES);
        for (int i = from; i < to; i++) {
            long at = start + i * STRIDE;
            IntVector loaded = loader.load(m, at);
            IntVector more = loader.more(loaded, m, at);
            FloatVector lo = loader.first(loaded, more, part);
            FloatVector hi = loader.second(loaded, more, part);
            int f = aOffset + ROWS * i;
            FloatVector f0 = FloatVector.broadcast(FLOATS, a[f]);
            lo0 = lo.fma(f0, lo0);
            hi0 = hi.fma(f0, hi0);
            FloatVector f1 = FloatVector.broadcast(FLOATS, a[f + 1]);
            lo1 = lo.fma(f1, lo1);
            hi1 = hi.fma(f1, hi1);
            FloatVector f2 = FloatVector.broadcast(FLOATS, a[f + 2]);
            lo2 = lo.fma(f2, lo2);
            hi2 = hi.fma(f2, hi2);
            FloatVector f3 = FloatVector.broadcast(FLOATS, a[f + 3]);
            lo3 = lo.fma(f3, lo3);
            hi3 = hi.fma(f3, hi3);
        }
        lo0.intoArray(sums, s0);
        hi0.intoArray(sums, s0 + LANES);
        lo1.intoArray(sums, s1);
        hi1.intoArray(sums, s1 + LANES);
        lo2.intoArray(sums, s2);
        hi2.intoArray(sums, s2 + LANES);
        lo3.intoArray(sums, s3);
        hi3.intoArray(sums, s3 + LANES);
    }

    /** Adds the sums of a pair to its products. */
    private static void finish(int pair, Scaling scaling, float[] y, int yOffset) {
        int column = LOAD.column(COLUMNS, pair);
        finish(column, scaling, 0, y, yOffset);
        finish(column + LOAD.apart(COLUMNS, pair), scaling, LANES, y, yOffset);
    }

    /** One vector of columns. */
    private static void finish(int column, Scaling scaling, int at, float[] y, int yOffset) {
        FloatVector one = FloatVector.broadcast(FLOATS, 1f);
        FloatVector scale =
                SCALED == Scaled.SHIFTED ? one : FloatVector.fromArray(FLOATS, scaling.scales, scaling.at + column);
        FloatVector minimum = SCALED == Scaled.AFFINE_COLUMNS
                ? FloatVector.fromArray(FLOATS, scaling.minima, scaling.at + column)
                : one;
        for (int row = 0; row < ROWS; row++) {
            int i = row * STEP + at;
            FloatVector sum = FloatVector.fromArray(FLOATS, y, yOffset + i);
            if (SCALED != Scaled.COLUMNS) {
                sum = minimum.fma(FloatVector.broadcast(FLOATS, scaling.constants[row]), sum);
            }
            FloatVector.fromArray(FLOATS, scaling.sums, i).fma(scale, sum).intoArray(y, yOffset + i);
        }
    }

    @Override
    public void scale(float[] y, int yOffset, float[] factors) {
        for (int at = yOffset; at < yOffset + ROWS * COLUMNS; at += ROWS * STEP) {
            for (int row = 0; row < ROWS; row++) {
                for (int i = at + row * STEP; i < at + (row + 1) * STEP; i += LANES) {
                    FloatVector.fromArray(FLOATS, y, i).mul(factors[row]).intoArray(y, i);
                }
            }
        }
    }

    @Override
    public void turn(float[] y, int yOffset, int firstColumn, int lastColumn, float[] packed, int packedOffset) {
        for (int pair = firstColumn / STEP; pair < lastColumn / STEP; pair++) {
            int at = yOffset + pair * ROWS * STEP;
            int into = packedOffset + ROWS * LOAD.column(COLUMNS, pair);
            if (INTERLEAVED) {
                restore(y, at);
            }
            turn(y, at, packed, into);
            turn(y, at + LANES, packed, into + ROWS * LOAD.apart(COLUMNS, pair));
        }
    }

    /** Puts the columns of a pair in their natural order. */
    private static void restore(float[] y, int at) {
        for (int i = at; i < at + ROWS * STEP; i += STEP) {
            FloatVector even = FloatVector.fromArray(FLOATS, y, i);
            FloatVector odd = FloatVector.fromArray(FLOATS, y, i + LANES);
            ORDER.low(even, odd).intoArray(y, i);
            ORDER.high(even, odd).intoArray(y, i + LANES);
        }
    }

    /** One vector of columns. */
    private static void turn(float[] y, int at, float[] packed, int into) {
        FloatVector row0 = FloatVector.fromArray(FLOATS, y, at);
        FloatVector row1 = FloatVector.fromArray(FLOATS, y, at + STEP);
        FloatVector row2 = FloatVector.fromArray(FLOATS, y, at + 2 * STEP);
        FloatVector row3 = FloatVector.fromArray(FLOATS, y, at + 3 * STEP);
        FloatVector low02 = ORDER.low(row0, row2);
        FloatVector low13 = ORDER.low(row1, row3);
        ORDER.low(low02, low13).intoArray(packed, into);
        ORDER.high(low02, low13).intoArray(packed, into + LANES);
        FloatVector high02 = ORDER.high(row0, row2);
        FloatVector high13 = ORDER.high(row1, row3);
        ORDER.low(high02, high13).intoArray(packed, into + 2 * LANES);
        ORDER.high(high02, high13).intoArray(packed, into + 3 * LANES);
    }

    @Override
    public void widen(S m, long mOffset, int rows, float[] out) {
        PageLoad<S> loader = loader();
        for (int pair = 0; pair < COLUMNS / STEP; pair++) {
            long start = mOffset + loader.at(COLUMNS, pair);
            int part = loader.part(COLUMNS, pair);
            int into = loader.column(COLUMNS, pair);
            int apart = loader.apart(COLUMNS, pair);
            for (int i = 0; i < rows; i++, into += COLUMNS) {
                long at = start + i * STRIDE;
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
