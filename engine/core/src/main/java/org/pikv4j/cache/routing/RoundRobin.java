package org.pikv4j.cache.routing;

/** The shard whose turn it is: the one that holds least for its weight, the first among equals. */
public final class RoundRobin implements Placement {

    @Override
    public String name() {
        return "round-robin";
    }

    @Override
    public int shard(NewPage page, ShardLoads shards) {
        int least = 0;
        for (int shard = 1; shard < shards.count(); shard++) {
            if (shards.heldBytes(shard) / shards.weight(shard) < shards.heldBytes(least) / shards.weight(least)) {
                least = shard;
            }
        }
        return least;
    }
}
