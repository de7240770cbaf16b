package org.pikv4j.shard;

/**
 * What working with shards has cost so far.
 *
 * @param overlap whether shards compute while the engine does its own part
 * @param engineSeconds the engine's own part of attention, where shards were asked, too
 * @param waitSeconds what it waited for shards beside that
 * @param rebalances how often pages were placed anew, whoever wanted it
 * @param moves what that cost
 */
public record ShardStats(boolean overlap, double engineSeconds, double waitSeconds, long rebalances, ShardMoves moves) {
    /** Nothing, since there are no shards. */
    public static final ShardStats NONE = new ShardStats(false, 0, 0, 0, ShardMoves.NONE);
}
