package org.pikv4j.plan;

/**
 * The bytes that a cache holds, by what they are.
 *
 * @param payloadBytes keys and values in the form that they keep
 * @param scaleBytes scales and whatever else a form needs beside its numbers
 * @param metadataBytes positions of tokens, bounds of keys, and padding of pages to 64 bytes
 * @param openBytes exact pages that shall be compressed or stay exact as first and newest tokens, and the room kept for
 *     their compressed forms; nothing where the cache is not compressed
 * @param tailBytes what the last pages have room for and do not hold yet
 */
public record CacheBytes(long payloadBytes, long scaleBytes, long metadataBytes, long openBytes, long tailBytes) {

    /** Nothing. */
    public static final CacheBytes NONE = new CacheBytes(0, 0, 0, 0, 0);

    /**
     * @return all of it: whole pages, as the allocator counts them
     * @throws ArithmeticException beyond what can be counted
     */
    public long total() {
        long kept = Math.addExact(Math.addExact(payloadBytes, scaleBytes), metadataBytes);
        return Math.addExact(kept, Math.addExact(openBytes, tailBytes));
    }

    /**
     * @param other more
     * @return both
     * @throws ArithmeticException beyond what can be counted
     */
    CacheBytes plus(CacheBytes other) {
        return new CacheBytes(
                Math.addExact(payloadBytes, other.payloadBytes),
                Math.addExact(scaleBytes, other.scaleBytes),
                Math.addExact(metadataBytes, other.metadataBytes),
                Math.addExact(openBytes, other.openBytes),
                Math.addExact(tailBytes, other.tailBytes));
    }

    /**
     * @param count how many of it
     * @return all together
     * @throws ArithmeticException beyond what can be counted
     */
    CacheBytes times(long count) {
        return new CacheBytes(
                Math.multiplyExact(payloadBytes, count),
                Math.multiplyExact(scaleBytes, count),
                Math.multiplyExact(metadataBytes, count),
                Math.multiplyExact(openBytes, count),
                Math.multiplyExact(tailBytes, count));
    }
}
