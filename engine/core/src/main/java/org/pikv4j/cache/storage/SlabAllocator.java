package org.pikv4j.cache.storage;

/** Where slabs come from: the part of a backend that the cache needs. */
@FunctionalInterface
public interface SlabAllocator {

    /**
     * @param bytes payload size, at most {@link Slab#MAX_BYTES}
     * @return a zeroed slab of that size
     */
    Slab allocate(long bytes);
}
