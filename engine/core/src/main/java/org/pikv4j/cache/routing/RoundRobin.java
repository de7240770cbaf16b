package org.pikv4j.cache.routing;

import java.util.Comparator;
import java.util.stream.IntStream;

/** The shard whose turn it is: the one that holds least for its weight, the first among equals. */
public final class RoundRobin implements Placement {

    @Override
    public String name() {
        return "round-robin";
    }

    @Override
    public int shard(NewPage page, ShardLoads shards) {
        return IntStream.range(0, shards.count())
                .filter(shard -> shards.weight(shard) > 0)
                .boxed()
                .min(Comparator.comparingDouble(shard -> shards.heldBytes(shard) / shards.weight(shard)))
                .orElseThrow();
    }
}
