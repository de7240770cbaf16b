package org.pikv4j.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Elementwise work on packed rows ({@link PageKernel}): element i of row r is {@code a[4·i + r]}. What there is one of for
 * each row stands in arrays as long as a vector, {@link #perRow}, of which the first four elements count.
 */
final class Packed {
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = FLOATS.length();
    private static final int ROWS = PageKernel.ROWS;
    /** Elements of each row that a vector holds. */
    private static final int ELEMENTS = LANES / ROWS;

    private static final VectorMask<Float> SECOND = element(1);
    private static final VectorMask<Float> THIRD = element(2);
    private static final VectorMask<Float> FOURTH = element(3);

    private Packed() {}

    private static VectorMask<Float> element(int index) {
        return VectorMask.fromLong(FLOATS, index < ELEMENTS ? 0xfL << ROWS * index : 0);
    }

    /**
     * @return room for a number for each row
     */
    static float[] perRow() {
        return new float[LANES];
    }

    /** Each factor once for each row. */
    private static FloatVector spread(float[] factors, int at, int stride) {
        FloatVector all = FloatVector.broadcast(FLOATS, factors[at]);
        if (ELEMENTS > 1) {
            all = all.blend(factors[at + stride], SECOND);
        }
        if (ELEMENTS > 2) {
            all = all.blend(factors[at + 2 * stride], THIRD).blend(factors[at + 3 * stride], FOURTH);
        }
        return all;
    }

    /**
     * Multiplies element i of all rows by factor i.
     *
     * @param a packed rows
     * @param at where element 0 stands
     * @param factors the factors
     * @param factorAt where factor 0 stands
     * @param stride distance between factors
     * @param out receives packed rows, element i at 4·i
     * @param from first i
     * @param to one past the last i
     */
    static void multiply(float[] a, int at, float[] factors, int factorAt, int stride, float[] out, int from, int to) {
        int i = from;
        for (; i + ELEMENTS <= to; i += ELEMENTS) {
            FloatVector.fromArray(FLOATS, a, at + ROWS * i)
                    .mul(spread(factors, factorAt + i * stride, stride))
                    .intoArray(out, ROWS * i);
        }
        for (; i < to; i++) {
            for (int r = 0; r < ROWS; r++) {
                out[ROWS * i + r] = a[at + ROWS * i + r] * factors[factorAt + i * stride];
            }
        }
    }

    /**
     * Sums factor i times element i, row by row.
     *
     * @param a packed rows
     * @param at where element 0 stands
     * @param factors the factors
     * @param factorAt where factor 0 stands
     * @param stride distance between factors
     * @param from first i
     * @param to one past the last i
     * @param sums receives the sum of each row
     */
    static void dot(float[] a, int at, float[] factors, int factorAt, int stride, int from, int to, float[] sums) {
        FloatVector sum = FloatVector.zero(FLOATS);
        int i = from;
        for (; i + ELEMENTS <= to; i += ELEMENTS) {
            sum = FloatVector.fromArray(FLOATS, a, at + ROWS * i)
                    .fma(spread(factors, factorAt + i * stride, stride), sum);
        }
        fold(sum, sums);
        for (; i < to; i++) {
            for (int r = 0; r < ROWS; r++) {
                sums[r] += a[at + ROWS * i + r] * factors[factorAt + i * stride];
            }
        }
    }

    /**
     * Sums the elements of each row.
     *
     * @param a packed rows
     * @param at where element 0 stands
     * @param from first element
     * @param to one past the last element
     * @param sums receives the sum of each row
     */
    static void sum(float[] a, int at, int from, int to, float[] sums) {
        FloatVector sum = FloatVector.zero(FLOATS);
        int i = from;
        for (; i + ELEMENTS <= to; i += ELEMENTS) {
            sum = sum.add(FloatVector.fromArray(FLOATS, a, at + ROWS * i));
        }
        fold(sum, sums);
        for (; i < to; i++) {
            for (int r = 0; r < ROWS; r++) {
                sums[r] += a[at + ROWS * i + r];
            }
        }
    }

    /**
     * @param a packed rows
     * @param from where the first element stands
     * @param to one past where the last stands, a multiple of the vector's length behind the first
     * @param maxima receives the largest element of each row; one that is not a number may or may not count
     */
    static void maxima(float[] a, int from, int to, float[] maxima) {
        FloatVector max = FloatVector.broadcast(FLOATS, Float.NEGATIVE_INFINITY);
        for (int i = from; i < to; i += LANES) {
            FloatVector v = FloatVector.fromArray(FLOATS, a, i);
            max = max.blend(
                    v, v.compare(VectorOperators.GT, max)); // the API's maximum orders NaN and -0 too, and is slow
        }
        max.intoArray(maxima, 0);
        for (int lane = ROWS; lane < LANES; lane++) {
            maxima[lane % ROWS] = Math.max(maxima[lane % ROWS], maxima[lane]);
        }
    }

    /**
     * Turns x into e^(x − shift).
     *
     * @param a packed rows
     * @param from where the first element stands
     * @param to one past where the last stands, a multiple of the vector's length behind the first
     * @param shifts one for each row, not less than any of its elements; their copies are made here
     * @param sums receives the sum of each row's exponentials
     */
    static void exponentials(float[] a, int from, int to, float[] shifts, float[] sums) {
        for (int lane = ROWS; lane < LANES; lane++) {
            shifts[lane] = shifts[lane % ROWS];
        }
        FloatVector shift = FloatVector.fromArray(FLOATS, shifts, 0);
        FloatVector sum = FloatVector.zero(FLOATS);
        for (int i = from; i < to; i += LANES) {
            FloatVector e =
                    VectorExp.exp(FLOATS, FloatVector.fromArray(FLOATS, a, i).sub(shift));
            e.intoArray(a, i);
            sum = sum.add(e);
        }
        fold(sum, sums);
    }

    private static void fold(FloatVector sum, float[] sums) {
        sum.intoArray(sums, 0);
        for (int lane = ROWS; lane < LANES; lane++) {
            sums[lane % ROWS] += sums[lane];
        }
    }
}
