package org.pikv4j.bench.routing;

import org.pikv4j.cache.routing.ShardRouter;
import org.pikv4j.cache.routing.ShardSignals;

/** Chooses the shards that hold most: what a router must do better at equal bytes. */
final class LargestRouter implements ShardRouter {
    @Override
    public String name() {
        return "largest";
    }

    @Override
    public void score(ShardSignals signals, double[] kept, double[] scores) {
        for (int shard = 0; shard < scores.length; shard++) {
            scores[shard] = signals.tokens(shard);
        }
    }
}
