package org.pikv4j.shard;

/**
 * What a new order of pages cost.
 *
 * @param pages how many moved
 * @param bytes what they take
 * @param left pages that should have left a shard which gets no more, and had nowhere to go
 * @param seconds how long it took
 */
public record ShardMoves(long pages, long bytes, long left, double seconds) {
    /** Nothing moved. */
    public static final ShardMoves NONE = new ShardMoves(0, 0, 0, 0);

    /**
     * @param next what was moved then
     * @return both together; what was left is what is left now
     */
    ShardMoves and(ShardMoves next) {
        return new ShardMoves(pages + next.pages, bytes + next.bytes, next.left, seconds + next.seconds);
    }
}
