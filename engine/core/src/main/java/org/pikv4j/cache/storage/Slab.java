package org.pikv4j.cache.storage;

import java.lang.foreign.MemorySegment;

/**
 * One large off-heap allocation with one owner, the {@link PagePool} that asked for it; pages are views of it and never
 * free. A backend makes it, so that its bytes can be those of a device array.
 */
public interface Slab extends AutoCloseable {

    /** A slab is at most this long, so that kernels can index it with ints. */
    long MAX_BYTES = 1L << 30;

    /**
     * @return the payload, aligned to 64 bytes
     */
    MemorySegment bytes();

    /** Frees the memory. No view may be used afterwards. */
    @Override
    void close();
}
