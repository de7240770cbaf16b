package org.pikv4j.cache.routing;

import org.pikv4j.extension.Extension;

/** Chooses the shard that a full page goes to. Called by the engine's thread alone; without a state of its own. */
public interface Placement extends Extension {

    /**
     * @param page the page
     * @param shards what there is to choose from
     * @return number of a shard
     */
    int shard(NewPage page, ShardLoads shards);
}
