package org.pikv4j.shard;

/**
 * What a new order of pages cost.
 *
 * @param pages how many moved
 * @param bytes what they take
 * @param seconds how long it took
 */
public record ShardMoves(long pages, long bytes, double seconds) {}
