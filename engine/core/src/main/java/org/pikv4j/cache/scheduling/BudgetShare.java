package org.pikv4j.cache.scheduling;

import java.util.Arrays;
import java.util.List;

/**
 * What one layer has to share out among its KV heads.
 *
 * @param layer number of the layer, among those that are under the budget
 * @param layers how many of those there are
 * @param tokens tokens for each KV head if all layers and heads have the same
 * @param least fewer than this no head can have
 * @param length tokens of the sequence, those that are gone included
 * @param scores of each KV head's tokens; those of tokens that stay whatever happens are infinite
 */
public record BudgetShare(int layer, int layers, int tokens, int least, int length, List<float[]> scores) {

    public BudgetShare {
        scores = List.copyOf(scores);
    }

    /**
     * @return the same for every head
     */
    public int[] even() {
        int[] quotas = new int[scores.size()];
        Arrays.fill(quotas, tokens);
        return quotas;
    }
}
