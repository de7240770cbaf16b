package org.pikv4j.shard;

/**
 * What a shard holds, and what went to it and came from it so far.
 *
 * @param shard its number
 * @param heldBytes bytes of its pages
 * @param capacityBytes the most that it may hold
 * @param pages number of its pages
 * @param queries how often it was asked
 * @param queryBytes bytes of queries sent to it
 * @param answerBytes bytes of partials that came back
 * @param rowBytes bytes of keys and values that moved to it
 */
public record ShardUsage(
        int shard,
        long heldBytes,
        long capacityBytes,
        long pages,
        long queries,
        long queryBytes,
        long answerBytes,
        long rowBytes) {}
