package org.pikv4j.cache.storage;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLong;

/** An allocator of slabs that knows what is still out. */
public final class HeldMemory implements SlabAllocator {
    private final AtomicLong bytes = new AtomicLong();

    @Override
    public Slab allocate(long size) {
        Arena arena = Arena.ofShared();
        MemorySegment segment = arena.allocate(size, 64);
        bytes.addAndGet(size);
        return new Slab() {
            @Override
            public MemorySegment bytes() {
                return segment;
            }

            @Override
            public void close() {
                arena.close();
                bytes.addAndGet(-size);
            }
        };
    }

    /**
     * @return bytes allocated and not freed
     */
    public long bytes() {
        return bytes.get();
    }
}
