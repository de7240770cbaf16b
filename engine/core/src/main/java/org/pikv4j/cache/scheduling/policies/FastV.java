package org.pikv4j.cache.scheduling.policies;

import java.util.Arrays;
import java.util.List;
import org.pikv4j.cache.scheduling.BudgetShare;
import org.pikv4j.cache.scheduling.EvictionPolicy;
import org.pikv4j.cache.scheduling.HeadTokens;
import org.pikv4j.cache.scheduling.PolicyOptions;
import org.pikv4j.cache.scheduling.TokenSignals;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.model.AttentionSpec;

/**
 * One early layer decides for all later ones (Chen et al., "An Image is Worth 1/2 Tokens After Layer 2: Plug-and-Play Inference
 * Acceleration for Large Vision-Language Models", arXiv 2403.06764, §4.1): tokens are ranked by the attention that they received
 * there on average, over all queries behind them and all heads, and the same ones go in every layer behind it. Layers up to it keep
 * everything, as far as the budget allows while later layers have their floor; what they must lose goes by the attention received in
 * that very place.
 *
 * <p>The paper prunes image tokens, which are redundant. It is a baseline here: text is not.
 *
 * <p>Options: {@code layer}, the number of the layer that decides, from 1 (2), and {@code floor}, the share of the budget that later
 * layers have at least (0.5).
 */
public final class FastV extends ReceivedAttention {
    static final int LAYER = 2;
    static final double FLOOR = 0.5;

    private final int layer;
    private final double floor;

    FastV(int layer, double floor) {
        this.layer = layer;
        this.floor = floor;
    }

    @Override
    public String name() {
        return "fastv";
    }

    @Override
    public EvictionPolicy with(PolicyOptions options) {
        return new FastV(options.number("layer", layer, 1), options.real("floor", floor, 0, 1));
    }

    @Override
    public void check(List<AttentionSpec> layers) {
        if (layer >= layers.size()) {
            throw new InvalidOptionException("kv-policy fastv: layer=" + layer
                    + " decides for the layers behind it, and the model has " + layers.size());
        }
    }

    @Override
    public int observedQueries() {
        return Integer.MAX_VALUE;
    }

    @Override
    public void score(HeadTokens tokens, float[] scores) {
        float[] received = new float[tokens.length()]; // by position
        if (tokens.layer() < layer) {
            add(tokens, received);
        } else {
            tokens.signals(layer - 1).forEach(head -> add(head, received));
        }
        int[] positions = tokens.positions();
        for (int i = 0; i < scores.length; i++) {
            scores[i] = received[positions[i]] / (tokens.length() - positions[i]);
        }
    }

    private static void add(TokenSignals tokens, float[] received) {
        int[] positions = tokens.positions();
        float[] sums = tokens.columns().column(0);
        for (int i = 0; i < positions.length; i++) {
            received[positions[i]] += sums[i];
        }
    }

    @Override
    public int[] quotas(BudgetShare share) {
        int[] quotas = share.even();
        if (share.layers() > layer) {
            int later = share.layers() - layer;
            long all = (long) share.tokens() * share.layers();
            long behind = Math.max(
                    Math.max(share.least(), (long) (floor * share.tokens())),
                    (all - (long) layer * share.length()) / later);
            behind = Math.min(behind, share.tokens());
            Arrays.fill(quotas, (int) (share.layer() < layer ? (all - later * behind) / layer : behind));
        }
        return quotas;
    }
}
