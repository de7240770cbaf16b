package org.pikv4j.attention;

import java.util.Arrays;

/**
 * What the entries of an item give to each token of its pages, a by-product of attention: e^(score − m), m being the entry's
 * largest score when the page was attended to. Once the partials are merged the probabilities follow from it without another
 * look at the keys.
 *
 * <p>Backends write for each page and entry that sees any of it; what nobody writes is 0.
 */
public final class TokenWeights {
    /** Entries that stand together. */
    private static final int PACKED = 4;

    private final int[] starts; // of each page among the item's tokens
    private final int tokens;
    private final int entries;
    private final float[] weights; // (entry / 4, token, entry % 4)
    private final float[] maxima; // (page, entry)

    /**
     * @param pageTokens tokens of each page, up to the last that is read
     * @param entries number of entries
     */
    TokenWeights(int[] pageTokens, int entries) {
        starts = new int[pageTokens.length];
        int sum = 0;
        for (int p = 0; p < starts.length; p++) {
            starts[p] = sum;
            sum += pageTokens[p];
        }
        this.tokens = sum;
        this.entries = entries;
        this.weights = new float[Math.ceilDiv(entries, PACKED) * PACKED * sum];
        this.maxima = new float[starts.length * entries];
        Arrays.fill(maxima, Partials.NO_MAXIMUM); // what nobody writes must not become 0 · ∞
    }

    int pages() {
        return starts.length;
    }

    /** What a message with them would take. */
    long bytes() {
        return (long) (weights.length + maxima.length) * Float.BYTES;
    }

    /**
     * Takes the weights of four entries.
     *
     * @param page number of a page of the item
     * @param entry the first of four entries of the item, a multiple of 4; those beyond the last are of no account
     * @param packed weights, that of token t and entry {@code entry + r} at {@code 4·t + r}
     * @param from first token of the page that counts
     * @param to one past the last, at most the page's tokens
     */
    public void put(int page, int entry, float[] packed, int from, int to) {
        System.arraycopy(
                packed, PACKED * from, weights, entry * tokens + PACKED * (starts[page] + from), PACKED * (to - from));
    }

    /**
     * Takes the weight of one entry.
     *
     * @param page number of a page of the item
     * @param entry an entry of the item
     * @param token a token of the page
     * @param weight its weight
     */
    public void put(int page, int entry, int token, float weight) {
        weights[entry / PACKED * PACKED * tokens + PACKED * (starts[page] + token) + entry % PACKED] = weight;
    }

    /**
     * Takes the m of a page's weights.
     *
     * @param page number of a page of the item
     * @param entry an entry of the item
     * @param maximum its largest score so far
     */
    public void maximum(int page, int entry, float maximum) {
        maxima[page * entries + entry] = maximum;
    }

    /** Forgets what was put, since it is of no use. */
    public void clear() {
        Arrays.fill(weights, 0f);
    }

    /**
     * Adds up the probabilities of all entries.
     *
     * @param partials the merged partials
     * @param first the merged partial of entry 0
     * @param page number of a page of the item
     * @param share what each is multiplied with
     * @param sums receives the sum of each token of the page
     * @param at where the first goes
     */
    void addProbabilities(Partials partials, int first, int page, float share, float[] sums, int at) {
        int end = page + 1 < starts.length ? starts[page + 1] : tokens;
        float[] factors = new float[PACKED];
        for (int entry = 0; entry < entries; entry += PACKED) {
            for (int i = 0; i < PACKED; i++) {
                factors[i] = entry + i < entries
                        ? share * factor(partials, first + entry + i, page * entries + entry + i)
                        : 0f;
            }
            int w = entry * tokens + PACKED * starts[page];
            for (int token = at; token < at + end - starts[page]; token++, w += PACKED) {
                sums[token] += weights[w] * factors[0]
                        + weights[w + 1] * factors[1]
                        + weights[w + 2] * factors[2]
                        + weights[w + 3] * factors[3];
            }
        }
    }

    /**
     * Takes the largest probability of all entries.
     *
     * @param partials the merged partials
     * @param first the merged partial of entry 0
     * @param page number of a page of the item
     * @param peaks receives the largest of each token of the page, if it is larger than what is there
     * @param at where the first goes
     */
    void peakProbabilities(Partials partials, int first, int page, float[] peaks, int at) {
        int count = (page + 1 < starts.length ? starts[page + 1] : tokens) - starts[page];
        for (int entry = 0; entry < entries; entry++) {
            float factor = factor(partials, first + entry, page * entries + entry);
            int w = entry / PACKED * PACKED * tokens + PACKED * starts[page] + entry % PACKED;
            for (int token = at; token < at + count; token++, w += PACKED) {
                peaks[token] = Math.max(peaks[token], weights[w] * factor);
            }
        }
    }

    private float factor(Partials partials, int merged, int of) {
        float sum = partials.sums()[merged];
        return sum > 0f ? (float) Math.exp(maxima[of] - partials.maxima()[merged]) / sum : 0f;
    }
}
