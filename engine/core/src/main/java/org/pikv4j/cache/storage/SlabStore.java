package org.pikv4j.cache.storage;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.pikv4j.error.KvBudgetExceededException;

/** The slabs of one place, here or on a shard, cut into blocks; used by {@link PagePool} alone. */
final class SlabStore {
    private static final long FIRST_SLAB_BYTES = 256 << 10;
    private static final long LARGEST_SLAB_BYTES = 64L << 20;
    /** Of the capacity: what one size of blocks reserves ahead must not starve the others. */
    private static final int LARGEST_SLAB_SHARE = 32;

    private final int shard;
    private final SlabAllocator allocator;
    private final long capacityBytes;
    private final long largestSlab;
    private final Map<Integer, SizeClass> classes = new HashMap<>();
    private long heldBytes;
    private long reservedBytes;
    private long pages;

    /**
     * @param shard which one, or {@link Page#HERE}
     * @param allocator where slabs come from
     * @param capacityBytes the most that may be reserved
     */
    SlabStore(int shard, SlabAllocator allocator, long capacityBytes) {
        this(shard, allocator, capacityBytes, capacityBytes / LARGEST_SLAB_SHARE);
    }

    /**
     * @param shard which one, or {@link Page#HERE}
     * @param allocator where slabs come from
     * @param capacityBytes the most that may be reserved
     * @param largestSlab the most that a slab has, unless a block has more
     */
    SlabStore(int shard, SlabAllocator allocator, long capacityBytes, long largestSlab) {
        this.shard = shard;
        this.allocator = allocator;
        this.capacityBytes = capacityBytes;
        this.largestSlab = Math.min(largestSlab, LARGEST_SLAB_BYTES);
    }

    long heldBytes() {
        return heldBytes;
    }

    long reservedBytes() {
        return reservedBytes;
    }

    long capacityBytes() {
        return capacityBytes;
    }

    long pages() {
        return pages;
    }

    /**
     * Takes a block.
     *
     * @param blockBytes its size
     * @param room bytes that may still be reserved anywhere
     * @return the block; empty if there is no room
     * @throws KvBudgetExceededException if the system has no memory
     */
    Optional<SizeClass.Block> take(int blockBytes, long room) {
        SizeClass sizeClass = classes.computeIfAbsent(blockBytes, bytes -> new SizeClass(bytes, shard));
        if (sizeClass.freeBlocks() == 0 && !grow(sizeClass, Math.min(room, capacityBytes - reservedBytes))) {
            return Optional.empty();
        }
        heldBytes += blockBytes;
        pages++;
        return Optional.of(sizeClass.take());
    }

    private boolean grow(SizeClass sizeClass, long room) {
        long block = sizeClass.blockBytes();
        // Doubling keeps the number of slabs small.
        long wanted = Math.min(largestSlab, Math.max(sizeClass.reservedBytes(), FIRST_SLAB_BYTES));
        long bytes = Math.min(Math.max(wanted, block), Math.min(room, Slab.MAX_BYTES)) / block * block;
        if (bytes < block) {
            return false;
        }
        try {
            sizeClass.add(allocator.allocate(bytes));
        } catch (OutOfMemoryError e) {
            throw new KvBudgetExceededException(
                    "the system has no " + bytes + " bytes more for the KV cache, which holds " + heldBytes
                            + " bytes of its budget of " + capacityBytes + "; lower kv-budget or shorten the context");
        }
        reservedBytes += bytes;
        return true;
    }

    /** Takes a block back, and gives its slab back with the last one. */
    void give(SizeClass.Block block) {
        SizeClass owner = block.cut().owner();
        heldBytes -= owner.blockBytes();
        pages--;
        reservedBytes -= owner.give(block);
    }

    /** Moves pages out of slabs that are nearly empty, so that these go back. */
    void gather(List<Page> pages) {
        Map<SizeClass, List<Page>> byClass = new LinkedHashMap<>();
        for (Page page : pages) {
            SizeClass owner = page.block().cut().owner();
            if (classes.get(owner.blockBytes()) == owner) {
                byClass.computeIfAbsent(owner, any -> new ArrayList<>()).add(page);
            }
        }
        byClass.forEach((owner, inIt) -> reservedBytes -= owner.gather(inIt));
    }
}
