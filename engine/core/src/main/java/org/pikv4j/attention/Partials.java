package org.pikv4j.attention;

import java.util.Arrays;

/**
 * A run of partial attention outputs, one per query row and head: the unnormalised output {@code o}, the largest score
 * {@code m}, and the sum of exponentials {@code l}, such that the attention output is o / l. All in float32.
 *
 * <p>The empty partial is (0, {@link #NO_MAXIMUM}, 0): finite, because infinities are unsafe on devices that compile with
 * fast-math.
 */
public final class Partials {
    /** The maximum over no scores. */
    public static final float NO_MAXIMUM = -1e30f;

    private final int headDim;
    private float[] outputs = {};
    private float[] maxima = {};
    private float[] sums = {};
    private int size;

    /**
     * @param headDim width of an output
     */
    public Partials(int headDim) {
        this.headDim = headDim;
    }

    /**
     * Makes all entries empty partials.
     *
     * @param entries how many there shall be
     */
    public void reset(int entries) {
        if (entries > maxima.length) {
            outputs = new float[Math.multiplyExact(entries, headDim)];
            maxima = new float[entries];
            sums = new float[entries];
        } else {
            Arrays.fill(outputs, 0, entries * headDim, 0f);
            Arrays.fill(sums, 0, entries, 0f);
        }
        Arrays.fill(maxima, 0, entries, NO_MAXIMUM);
        size = entries;
    }

    /**
     * Makes some entries empty partials again.
     *
     * @param first index of the first
     * @param count how many
     */
    public void clear(int first, int count) {
        Arrays.fill(outputs, first * headDim, (first + count) * headDim, 0f);
        Arrays.fill(sums, first, first + count, 0f);
        Arrays.fill(maxima, first, first + count, NO_MAXIMUM);
    }

    public int size() {
        return size;
    }

    /** What a message with them would take. */
    long bytes() {
        return (long) size * (headDim + 2) * Float.BYTES;
    }

    /**
     * Takes over entries.
     *
     * @param into the first of those that are written
     * @param other where they are from
     * @param from the first of them there
     * @param count how many
     */
    void put(int into, Partials other, int from, int count) {
        System.arraycopy(other.outputs, from * headDim, outputs, into * headDim, count * headDim);
        System.arraycopy(other.maxima, from, maxima, into, count);
        System.arraycopy(other.sums, from, sums, into, count);
    }

    /**
     * @return the unnormalised outputs, (entry, headDim)
     */
    public float[] outputs() {
        return outputs;
    }

    /**
     * @return the largest scores, (entry)
     */
    public float[] maxima() {
        return maxima;
    }

    /**
     * @return the sums of exponentials, (entry)
     */
    public float[] sums() {
        return sums;
    }

    /**
     * Folds one entry into another: m = max(m1, m2), l = l1·e^(m1−m) + l2·e^(m2−m), and o likewise.
     *
     * @param into the entry that receives
     * @param from the entry that is folded in; unchanged
     */
    public void merge(int into, int from) {
        float m1 = maxima[into];
        float m2 = maxima[from];
        float m = Math.max(m1, m2);
        float f1 = (float) Math.exp(m1 - m);
        float f2 = (float) Math.exp(m2 - m);
        maxima[into] = m;
        sums[into] = sums[into] * f1 + sums[from] * f2;
        int a = into * headDim;
        int b = from * headDim;
        for (int d = 0; d < headDim; d++) {
            outputs[a + d] = outputs[a + d] * f1 + outputs[b + d] * f2;
        }
    }

    /**
     * Writes o / l, or zeros where nothing was attended to.
     *
     * @param entry the entry
     * @param out receives headDim values
     * @param offset index of the first
     */
    public void normalise(int entry, float[] out, int offset) {
        float l = sums[entry];
        float factor = l > 0f ? 1f / l : 0f;
        for (int d = 0; d < headDim; d++) {
            out[offset + d] = outputs[entry * headDim + d] * factor;
        }
    }
}
