package org.pikv4j.shard;

/**
 * What a shard holds, and what went to it and came from it so far.
 *
 * @param shard its number
 * @param open whether it gets pages; not once it was drained, or has failed
 * @param share what it shall get of all pages, by capacity and speed; all of them sum to 1
 * @param heldBytes bytes of its pages
 * @param capacityBytes the most that it may hold
 * @param pages number of its pages
 * @param queries how often it was asked
 * @param queryBytes bytes of queries sent to it
 * @param answerBytes bytes of partials that came back
 * @param rowBytes bytes of keys and values that moved to it
 * @param nameBytes bytes that told it what its pages are called
 * @param readBytes bytes of its pages that attention has read; rows of a prompt that are computed together read a page once
 */
public record ShardUsage(
        int shard,
        boolean open,
        double share,
        long heldBytes,
        long capacityBytes,
        long pages,
        long queries,
        long queryBytes,
        long answerBytes,
        long rowBytes,
        long nameBytes,
        long readBytes) {}
