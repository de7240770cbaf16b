package org.pikv4j.cache.routing.routers;

import java.util.Set;
import org.pikv4j.cache.routing.ShardRouter;
import org.pikv4j.cache.routing.ShardSignals;

/** The shards with the page whose mean key is nearest to the query. The paper has no such router; it is the strong baseline. */
final class QueryCentroid implements ShardRouter {
    @Override
    public String name() {
        return "query-centroid";
    }

    @Override
    public Set<Need> needs() {
        return Set.of(Need.CENTROIDS);
    }

    @Override
    public void score(ShardSignals signals, double[] kept, double[] scores) {
        for (int shard = 0; shard < scores.length; shard++) {
            scores[shard] = signals.similarity(shard);
        }
    }
}
