package org.pikv4j.cache.storage;

/**
 * The cache's account in bytes.
 *
 * @param heldBytes what pages in memory take, shared pages once
 * @param openBytes of these, pages that shall be compressed and are not yet, and the room kept for their sealed forms
 * @param reservedBytes what slabs take from the operating system
 * @param peakHeldBytes the largest {@code heldBytes} so far
 * @param budgetBytes the most that may be reserved
 * @param pages pages in memory
 * @param refusedPages pages so far that stayed exact because they hold values that are not finite or too large for the
 *     codec, or because the codec failed
 * @param encodedPages pages so far that were compressed
 * @param encodingNanos what that took in all, on whichever threads
 * @param tier what is not in memory
 */
public record CacheUsage(
        long heldBytes,
        long openBytes,
        long reservedBytes,
        long peakHeldBytes,
        long budgetBytes,
        long pages,
        long refusedPages,
        long encodedPages,
        long encodingNanos,
        TierUsage tier) {}
