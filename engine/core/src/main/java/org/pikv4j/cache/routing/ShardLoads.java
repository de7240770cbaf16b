package org.pikv4j.cache.routing;

/** The shards that there are, and how full they are. */
public interface ShardLoads {

    /**
     * @return number of shards
     */
    int count();

    /**
     * @param shard a shard
     * @return what it shall get, as a share of all: by capacity and speed; all of them sum to 1, and 0 is nothing
     */
    double weight(int shard);

    /**
     * @param shard a shard
     * @return bytes of its pages
     */
    long heldBytes(int shard);
}
