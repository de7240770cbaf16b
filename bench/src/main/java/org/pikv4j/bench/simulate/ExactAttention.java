package org.pikv4j.bench.simulate;

import java.util.Arrays;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.trace.Trace;

/**
 * The softmax of every recorded query over all recorded keys that it may see, of one layer and KV head: the mean over the query
 * heads of the group. Computed query by query; no more than the head's keys and one row are held.
 */
final class ExactAttention {
    private static final int CHUNK = 64;

    private final Trace trace;
    private final int layer;
    private final int kvHead;
    private final AttentionSpec spec;
    private final float[][] keys; // (headDim, token): sums run over tokens, which the compiler makes vectors of

    /** Takes a step. */
    @FunctionalInterface
    interface Step {

        /**
         * @param position position of the query
         * @param first the oldest token that it may see
         * @param shares its attention, by token, from {@code first} to {@code position}; valid during the call
         * @param top the token with the largest share; of equals the oldest
         */
        void take(int position, int first, double[] shares, int top);
    }

    ExactAttention(Trace trace, int layer, int kvHead) {
        this.trace = trace;
        this.layer = layer;
        this.kvHead = kvHead;
        this.spec = trace.layers().get(layer).spec();
        this.keys = new float[spec.headDim()][trace.length()];
        float[] rows = new float[CHUNK * spec.kvWidth()];
        for (int at = 0; at < trace.length(); at += CHUNK) {
            int count = Math.min(CHUNK, trace.length() - at);
            trace.keys(layer, at, count, rows);
            for (int row = 0; row < count; row++) {
                for (int d = 0; d < keys.length; d++) {
                    keys[d][at + row] = rows[row * spec.kvWidth() + kvHead * keys.length + d];
                }
            }
        }
    }

    /** All steps, in order. */
    void forEach(Step step) {
        float[] queries = new float[CHUNK * spec.queryWidth()];
        float[] scores = new float[trace.length()];
        double[] shares = new double[trace.length()];
        for (int at = 0; at < trace.length(); at += CHUNK) {
            int count = Math.min(CHUNK, trace.length() - at);
            trace.queries(layer, at, count, queries);
            for (int row = 0; row < count; row++) {
                int position = at + row;
                int first = (int) Math.max(0, (long) position - spec.window() + 1);
                Arrays.fill(shares, first, position + 1, 0);
                for (int g = 0; g < spec.group(); g++) {
                    int query = row * spec.queryWidth() + (kvHead * spec.group() + g) * spec.headDim();
                    scores(queries, query, scores, first, position + 1);
                    addSoftmax(scores, shares, first, position + 1);
                }
                step.take(position, first, shares, top(shares, first, position + 1));
            }
        }
    }

    private void scores(float[] queries, int query, float[] scores, int from, int to) {
        Arrays.fill(scores, from, to, 0f);
        for (int d = 0; d < keys.length; d++) {
            float q = queries[query + d] * spec.scale();
            float[] row = keys[d];
            for (int t = from; t < to; t++) {
                scores[t] += q * row[t];
            }
        }
    }

    private void addSoftmax(float[] scores, double[] shares, int from, int to) {
        float max = scores[from];
        for (int t = from; t < to; t++) {
            max = Math.max(max, scores[t]);
        }
        double sum = 0;
        for (int t = from; t < to; t++) {
            scores[t] = (float) Math.exp(scores[t] - max);
            sum += scores[t];
        }
        double factor = 1 / (sum * spec.group());
        for (int t = from; t < to; t++) {
            shares[t] += scores[t] * factor;
        }
    }

    private static int top(double[] shares, int from, int to) {
        int top = from;
        for (int t = from; t < to; t++) {
            top = shares[t] > shares[top] ? t : top;
        }
        return top;
    }
}
