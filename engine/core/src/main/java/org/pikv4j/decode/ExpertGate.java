package org.pikv4j.decode;

import org.pikv4j.backend.ExpertAssignment;
import org.pikv4j.model.FeedForwardSpec;

/**
 * Chooses experts from a router's logits: softmax over all experts, the best k, their weights renormalised where the model
 * was trained so (Mixtral, arXiv 2401.04088, §2.1). Among equals the lower index wins.
 */
final class ExpertGate {

    private ExpertGate() {}

    /**
     * @param rows number of rows
     * @param logits (rows, experts); overwritten with probabilities
     * @param spec experts, k, and whether weights are renormalised
     * @param bias added to the probabilities for the choice alone, (row, experts); the weights stay the gate's own. Empty for none
     * @param assignment receives the choice, sorted
     */
    static void choose(
            int rows, float[] logits, FeedForwardSpec.Sparse spec, float[] bias, ExpertAssignment assignment) {
        int experts = spec.experts();
        int topK = spec.topK();
        int[] best = new int[topK];
        float[] scores = new float[experts];
        assignment.begin(rows, topK);
        for (int row = 0; row < rows; row++) {
            int at = row * experts;
            softmax(logits, at, experts);
            for (int e = 0; e < experts; e++) {
                scores[e] = logits[at + e] + (bias.length > 0 ? bias[at + e] : 0f);
            }
            float sum = 0f;
            for (int rank = 0; rank < topK; rank++) {
                best[rank] = argmaxBelow(scores, best, rank);
                sum += logits[at + best[rank]];
            }
            float factor =
                    spec.renormalise() && sum > 0f ? 1f / sum : 1f; // a bias may choose what has no weight at all
            for (int rank = 0; rank < topK; rank++) {
                assignment.choose(row, rank, best[rank], logits[at + best[rank]] * factor);
            }
        }
        assignment.sort(experts);
    }

    private static int argmaxBelow(float[] scores, int[] taken, int takenCount) {
        int best = -1;
        for (int e = 0; e < scores.length; e++) {
            boolean free = true;
            for (int i = 0; i < takenCount; i++) {
                free &= taken[i] != e;
            }
            if (free && (best < 0 || scores[e] > scores[best])) {
                best = e;
            }
        }
        return best;
    }

    static void softmax(float[] values, int at, int count) {
        float max = Float.NEGATIVE_INFINITY;
        for (int i = at; i < at + count; i++) {
            max = Math.max(max, values[i]);
        }
        float sum = 0f;
        for (int i = at; i < at + count; i++) {
            values[i] = (float) Math.exp(values[i] - max);
            sum += values[i];
        }
        for (int i = at; i < at + count; i++) {
            values[i] /= sum;
        }
    }
}
