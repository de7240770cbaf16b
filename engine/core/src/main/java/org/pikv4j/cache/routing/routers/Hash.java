package org.pikv4j.cache.routing.routers;

import org.pikv4j.cache.routing.Mixing;
import org.pikv4j.cache.routing.ShardRouter;
import org.pikv4j.cache.routing.ShardSignals;

/** Knows nothing, and chooses as if by dice, the same for all KV heads of a layer: the baseline. */
final class Hash implements ShardRouter {
    @Override
    public String name() {
        return "hash";
    }

    @Override
    public void score(ShardSignals signals, double[] kept, double[] scores) {
        long query = Mixing.mixed(Mixing.mixed(signals.layer()) + signals.position());
        for (int shard = 0; shard < scores.length; shard++) {
            scores[shard] = Mixing.uniform(Mixing.mixed(query + shard));
        }
    }
}
