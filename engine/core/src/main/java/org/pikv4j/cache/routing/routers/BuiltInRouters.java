package org.pikv4j.cache.routing.routers;

import java.util.List;
import org.pikv4j.cache.routing.CacheTerm;
import org.pikv4j.cache.routing.ShardRouter;

/** The routers that need no service entry. */
public final class BuiltInRouters {

    /** All of them, with the options that they have by default. */
    public static final List<ShardRouter> ALL = List.of(
            new Exact(),
            new Hash(),
            new TopK(),
            new TopKBalanced(TopKBalanced.ALPHA),
            new CacheAware(CacheTerm.DEFAULT),
            new Eplb(Eplb.GAMMA, Eplb.MEMORY),
            new Adaptive(Adaptive.ALPHA, Adaptive.COST, Adaptive.PRIOR),
            new Hierarchical(0, 0),
            new QueryCentroid());

    private BuiltInRouters() {}
}
