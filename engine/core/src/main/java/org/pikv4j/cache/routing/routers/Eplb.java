package org.pikv4j.cache.routing.routers;

import java.util.Set;
import org.pikv4j.cache.routing.ShardRouter;
import org.pikv4j.cache.routing.ShardSignals;
import org.pikv4j.extension.OptionValues;

/**
 * The gate, with a bias for each shard that is corrected after each query: gate_e + b_e, b_e += γ·sign(mean load − load_e) (loss-free
 * balancing: DeepSeek-V3, arXiv 2412.19437, §2.1.2). The load is how often the shard was read, older reads counting less, as {@code
 * memory} queries pass; DeepSeek counts a batch, and a decode step has but one query. Shards that hold nothing have the mean of the others'
 * load and bias, so that they begin as one of them. The paper's −βH(p) is one number for all shards of a query, which changes no choice.
 *
 * <p>Options: {@code gamma} (0.01), {@code memory} (1000).
 */
final class Eplb implements ShardRouter {
    static final double GAMMA = 0.01;
    static final double MEMORY = 1000;

    private final double gamma;
    private final double memory;

    Eplb(double gamma, double memory) {
        this.gamma = gamma;
        this.memory = memory;
    }

    @Override
    public String name() {
        return "eplb";
    }

    @Override
    public ShardRouter with(OptionValues options) {
        return new Eplb(options.real("gamma", gamma, 0, 1e6), options.real("memory", memory, 1, 1e9));
    }

    /** The biases, then how often each was read. */
    @Override
    public int numbers(int shards) {
        return 2 * shards;
    }

    @Override
    public Set<Need> needs() {
        return Set.of(Need.GATE);
    }

    @Override
    public void score(ShardSignals signals, double[] kept, double[] scores) {
        for (int shard = 0; shard < scores.length; shard++) {
            scores[shard] = signals.gate(shard) + kept[shard];
        }
    }

    @Override
    public void sent(ShardSignals signals, double[] kept, int[] chosen) {
        int shards = signals.shards();
        double reads = 0;
        double biases = 0;
        int holding = 0;
        for (int shard = 0; shard < shards; shard++) {
            kept[shards + shard] *= 1 - 1 / memory;
        }
        for (int shard : chosen) {
            kept[shards + shard]++;
        }
        for (int shard = 0; shard < shards; shard++) {
            if (signals.holds(shard)) {
                reads += kept[shards + shard];
                holding++;
            }
        }
        for (int shard = 0; shard < shards; shard++) {
            if (signals.holds(shard)) {
                kept[shard] += gamma * Math.signum(reads - holding * kept[shards + shard]);
                biases += kept[shard];
            }
        }
        for (int shard = 0; shard < shards && holding > 0; shard++) {
            if (!signals.holds(shard)) {
                kept[shards + shard] = reads / holding;
                kept[shard] = biases / holding;
            }
        }
    }
}
