package org.pikv4j.cache.storage;

/**
 * The cache's account in bytes.
 *
 * @param heldBytes what pages in use take, shared pages once
 * @param reservedBytes what slabs take from the operating system
 * @param peakHeldBytes the largest {@code heldBytes} so far
 * @param budgetBytes the most that may be reserved
 * @param pages pages in use
 */
public record CacheUsage(long heldBytes, long reservedBytes, long peakHeldBytes, long budgetBytes, long pages) {}
