package org.pikv4j.cache.routing.routers;

import java.util.Set;
import org.pikv4j.cache.routing.ShardRouter;
import org.pikv4j.cache.routing.ShardSignals;

/** The shards of the experts that the layer's own gate prefers for the hidden state before attention. */
final class TopK implements ShardRouter {
    @Override
    public String name() {
        return "topk";
    }

    @Override
    public Set<Need> needs() {
        return Set.of(Need.GATE);
    }

    @Override
    public void score(ShardSignals signals, double[] kept, double[] scores) {
        for (int shard = 0; shard < scores.length; shard++) {
            scores[shard] = signals.gate(shard);
        }
    }
}
