package org.pikv4j.cache.routing;

import java.util.List;
import org.pikv4j.extension.Extension;

/** Chooses the shard that a full page goes to. Called by the engine's thread alone. */
public interface Placement extends Extension {

    /**
     * @param page the page
     * @param shards what there is to choose from
     * @return number of a shard with a weight
     */
    int shard(NewPage page, ShardLoads shards);

    /**
     * @param loads what is there now, by the experts that most of the pages' tokens chose
     * @param shards what there is to choose from
     * @return a placement that shares this out by the shards' weights
     */
    default Placement balanced(List<ExpertLoad> loads, ShardLoads shards) {
        return this;
    }
}
