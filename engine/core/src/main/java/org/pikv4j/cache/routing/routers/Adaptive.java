package org.pikv4j.cache.routing.routers;

import java.util.Set;
import org.pikv4j.cache.routing.ShardRouter;
import org.pikv4j.cache.routing.ShardSignals;
import org.pikv4j.extension.OptionValues;

/**
 * Learns what a shard is worth (PiKV, arXiv 2508.06526, §3.2, as a contextual bandit: LinUCB, Li et al., arXiv 1003.0146, Algorithm 1,
 * one model for all shards of a head): score_e = θ·φ_e + α·√(φ_eᵀA⁻¹φ_e), the reward of reading e being the attention that it drew less
 * {@code cost} times its share of the tokens. φ_e is 1, the gate, the similarity, the attention that it drew so far, its share of the
 * tokens, what is missing, and what compression lost. θ begins at the gate alone, as if it had been seen {@code prior} times.
 *
 * <p>Options: {@code alpha} (0.1), {@code cost} (0), {@code prior} (1).
 */
final class Adaptive implements ShardRouter {
    static final double ALPHA = 0.1;
    static final double COST = 0;
    static final double PRIOR = 1;
    private static final int FEATURES = 7;
    private static final int GATE = 1;

    private final double alpha;
    private final double cost;
    private final double prior;

    Adaptive(double alpha, double cost, double prior) {
        this.alpha = alpha;
        this.cost = cost;
        this.prior = prior;
    }

    @Override
    public String name() {
        return "adaptive";
    }

    @Override
    public ShardRouter with(OptionValues options) {
        return new Adaptive(
                options.real("alpha", alpha, 0, 1e6),
                options.real("cost", cost, 0, 1e6),
                options.real("prior", prior, 1e-6, 1e6));
    }

    @Override
    public Set<Need> needs() {
        return Set.of(Need.GATE, Need.ATTENTION, Need.CENTROIDS);
    }

    /** A⁻¹ less what it is at first, row by row, then Σ reward·φ. */
    @Override
    public int numbers(int shards) {
        return FEATURES * FEATURES + FEATURES;
    }

    @Override
    public void score(ShardSignals signals, double[] kept, double[] scores) {
        double[] theta = new double[FEATURES];
        for (int i = 0; i < FEATURES; i++) {
            for (int j = 0; j < FEATURES; j++) {
                theta[i] += inverse(kept, i, j) * (kept[FEATURES * FEATURES + j] + (j == GATE ? prior : 0));
            }
        }
        int all = tokens(signals);
        for (int shard = 0; shard < scores.length; shard++) {
            double[] features = features(signals, shard, all);
            double[] spread = times(kept, features);
            double expected = 0;
            double variance = 0;
            for (int i = 0; i < FEATURES; i++) {
                expected += theta[i] * features[i];
                variance += spread[i] * features[i];
            }
            scores[shard] = expected + alpha * Math.sqrt(Math.max(0, variance));
        }
    }

    @Override
    public void learn(ShardSignals signals, double[] kept, int[] read, double[] mass) {
        int all = tokens(signals);
        for (int shard : read) {
            if (!signals.holds(shard)) {
                continue;
            }
            double[] features = features(signals, shard, all);
            double reward = mass[shard] - cost * signals.tokens(shard) / all;
            // (A + φφᵀ)⁻¹ = A⁻¹ − A⁻¹φ(A⁻¹φ)ᵀ / (1 + φᵀA⁻¹φ): Sherman and Morrison
            double[] product = times(kept, features);
            double scale = 1;
            for (int i = 0; i < FEATURES; i++) {
                scale += product[i] * features[i];
            }
            for (int i = 0; i < FEATURES; i++) {
                for (int j = 0; j < FEATURES; j++) {
                    kept[i * FEATURES + j] -= product[i] * product[j] / scale;
                }
                kept[FEATURES * FEATURES + i] += reward * features[i];
            }
        }
    }

    private double inverse(double[] kept, int i, int j) {
        return kept[i * FEATURES + j] + (i == j ? 1 / prior : 0);
    }

    /** A⁻¹φ. */
    private double[] times(double[] kept, double[] features) {
        double[] product = new double[FEATURES];
        for (int i = 0; i < FEATURES; i++) {
            for (int j = 0; j < FEATURES; j++) {
                product[i] += inverse(kept, i, j) * features[j];
            }
        }
        return product;
    }

    private static int tokens(ShardSignals signals) {
        int all = 0;
        for (int shard = 0; shard < signals.shards(); shard++) {
            all += signals.tokens(shard);
        }
        return Math.max(1, all);
    }

    private static double[] features(ShardSignals signals, int shard, int all) {
        return new double[] {
            1,
            signals.gate(shard),
            signals.similarity(shard),
            signals.mass(shard),
            (double) signals.tokens(shard) / all,
            Math.log1p(signals.miss(shard)),
            signals.error(shard)
        };
    }
}
