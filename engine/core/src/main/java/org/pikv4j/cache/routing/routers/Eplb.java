package org.pikv4j.cache.routing.routers;

import org.pikv4j.cache.routing.ShardRouter;
import org.pikv4j.cache.routing.ShardSignals;
import org.pikv4j.extension.OptionValues;

/**
 * The gate, with a bias for each shard that is corrected after each query: gate_e + b_e, b_e += γ·sign(mean load − load_e), the load being
 * how often the shard was read (loss-free balancing: DeepSeek-V3, arXiv 2412.19437, §2.1.2). The paper's −βH(p) is one number for all
 * shards of a query, which changes no choice.
 *
 * <p>Option: {@code gamma} (0.01).
 */
final class Eplb implements ShardRouter {
    static final double GAMMA = 0.01;

    private final double gamma;

    Eplb(double gamma) {
        this.gamma = gamma;
    }

    @Override
    public String name() {
        return "eplb";
    }

    @Override
    public ShardRouter with(OptionValues options) {
        return new Eplb(options.real("gamma", gamma, 0, 1e6));
    }

    /** The biases, then how often each was read. */
    @Override
    public int numbers(int shards) {
        return 2 * shards;
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
        for (int shard : chosen) {
            kept[shards + shard]++;
        }
        double reads = 0;
        for (int shard = 0; shard < shards; shard++) {
            reads += kept[shards + shard];
        }
        for (int shard = 0; shard < shards; shard++) {
            kept[shard] += gamma * Math.signum(reads - shards * kept[shards + shard]);
        }
    }
}
