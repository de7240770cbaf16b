package org.pikv4j.cache.routing.routers;

import java.util.Set;
import org.pikv4j.cache.routing.ShardRouter;
import org.pikv4j.cache.routing.ShardSignals;
import org.pikv4j.extension.OptionValues;

/**
 * {@code topk}, with shards that are read much put back: gate_e − α·(load_e − mean load), the load being a running mean.
 *
 * <p>Option: {@code alpha} (0.5).
 */
final class TopKBalanced implements ShardRouter {
    static final double ALPHA = 0.5;

    private final double alpha;

    TopKBalanced(double alpha) {
        this.alpha = alpha;
    }

    @Override
    public String name() {
        return "topk-balanced";
    }

    @Override
    public ShardRouter with(OptionValues options) {
        return new TopKBalanced(options.real("alpha", alpha, 0, 1e6));
    }

    @Override
    public Set<Need> needs() {
        return Set.of(Need.GATE);
    }

    @Override
    public void score(ShardSignals signals, double[] kept, double[] scores) {
        double mean = signals.meanLoad();
        for (int shard = 0; shard < scores.length; shard++) {
            scores[shard] = signals.gate(shard) - alpha * (signals.load(shard) - mean);
        }
    }
}
