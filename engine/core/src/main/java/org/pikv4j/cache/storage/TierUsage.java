package org.pikv4j.cache.storage;

/**
 * The second tier's account in bytes, all sessions together. None of them is part of what the cache holds in memory.
 *
 * @param heldBytes what pages there take, shared pages once
 * @param peakHeldBytes the largest {@code heldBytes} so far
 * @param fileBytes length of the files, slots that wait for pages included
 * @param pages pages there
 */
public record TierUsage(long heldBytes, long peakHeldBytes, long fileBytes, long pages) {}
