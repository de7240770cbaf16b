package org.pikv4j.cpu;

import java.util.Arrays;
import org.pikv4j.attention.AttentionItem;
import org.pikv4j.attention.Partials;
import org.pikv4j.attention.TokenWeights;

/**
 * The online softmax of four entries at a time: keeps the largest score and the sum of exponentials of each entry in the
 * item's {@link Partials}, and says by how much what was summed before is too large.
 */
final class PackedSoftmax {
    private static final int ROWS = PageKernel.ROWS;

    private final AttentionItem item;
    private final float[] constants;
    private final int group;
    private final int entries;
    private final int[] low = new int[ROWS];
    private final int[] high = new int[ROWS];
    private final float[] shifts = Packed.perRow();
    private final float[] sums = Packed.perRow();
    private final float[] shrinkage = new float[ROWS];
    private int first;

    /**
     * @param item says what each entry sees
     * @param constants added to all scores of an entry, (entry)
     */
    PackedSoftmax(AttentionItem item, float[] constants) {
        this.item = item;
        this.constants = constants;
        this.group = item.spec().group();
        this.entries = item.rows() * group;
    }

    /**
     * @param page index of a page
     * @param entry the first of four entries; those beyond the last see what it sees
     */
    void turnTo(int page, int entry) {
        first = entry;
        for (int r = 0; r < ROWS; r++) {
            int row = Math.min(entry + r, entries - 1) / group;
            low[r] = item.from(page, row);
            high[r] = item.to(page, row);
        }
    }

    /**
     * @return the first token that one of the four sees; later rows see what is later
     */
    int from() {
        return low[0];
    }

    /**
     * @return one past the last token that one of the four sees
     */
    int to() {
        return high[ROWS - 1];
    }

    /**
     * Turns scores into e^(score − m), m the largest so far, and what an entry does not see into 0.
     *
     * @param scores packed, (token, 4)
     * @param begin a token at or before {@link #from}
     * @param end one at or behind {@link #to}; as many tokens from begin to there as fill vectors
     * @return whether outputs summed before must be multiplied by {@link #shrinkage}
     */
    boolean apply(float[] scores, int begin, int end) {
        for (int r = 0; r < ROWS; r++) {
            hide(scores, r, begin, Math.min(low[r], end));
            hide(scores, r, Math.max(high[r], begin), end);
        }
        Packed.maxima(scores, ROWS * begin, ROWS * end, shifts);
        Partials partials = item.partials();
        Arrays.fill(shrinkage, 1f);
        boolean grown = false;
        int rows = Math.min(ROWS, entries - first);
        for (int r = 0; r < rows; r++) {
            int entry = item.entry() + first + r;
            float constant = constants[first + r];
            float before = partials.maxima()[entry];
            float max = shifts[r] + constant;
            if (max > before) {
                shrinkage[r] = (float) Math.exp(before - max);
                partials.maxima()[entry] = max;
                partials.sums()[entry] *= shrinkage[r];
                grown = true;
            }
            shifts[r] = partials.maxima()[entry] - constant;
        }
        Arrays.fill(shifts, rows, ROWS, 0f); // padding, whose scores are 0; where it sees nothing it has no maximum
        Packed.exponentials(scores, ROWS * begin, ROWS * end, shifts, sums);
        for (int r = 0; r < rows; r++) {
            partials.sums()[item.entry() + first + r] += sums[r];
        }
        return grown;
    }

    /**
     * Hands out what {@link #apply} has left.
     *
     * @param weights receives it
     * @param page the page turned to
     * @param scores packed, (token, 4)
     */
    void show(TokenWeights weights, int page, float[] scores) {
        weights.put(page, first, scores, from(), to());
        for (int r = 0; r < Math.min(ROWS, entries - first); r++) {
            weights.maximum(page, first + r, item.partials().maxima()[item.entry() + first + r]);
        }
    }

    private static void hide(float[] scores, int row, int begin, int end) {
        for (int i = begin; i < end; i++) {
            scores[ROWS * i + row] = Float.NEGATIVE_INFINITY;
        }
    }

    /**
     * @return a factor for each of the four
     */
    float[] shrinkage() {
        return shrinkage;
    }
}
