package org.pikv4j.cache.storage;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/** The slabs that are cut into blocks of one size, and which of their blocks are free. */
final class SizeClass {
    private final int blockBytes;
    private final int shard;
    private final List<Cut> slabs = new ArrayList<>();

    /**
     * @param blockBytes size of a block
     * @param shard whose slabs they are, or {@link Page#HERE}
     */
    SizeClass(int blockBytes, int shard) {
        this.blockBytes = blockBytes;
        this.shard = shard;
    }

    /**
     * A block in use.
     *
     * @param cut the slab it lies in
     * @param index its place there
     */
    record Block(Cut cut, int index) {
        MemorySegment bytes() {
            return cut.slab().bytes().asSlice(offset(), cut.owner().blockBytes);
        }

        /** Where it begins in its slab. */
        long offset() {
            return (long) index * cut.owner().blockBytes;
        }
    }

    /** One slab and its free blocks, a stack. */
    static final class Cut {
        private final SizeClass owner;
        private final Slab slab;
        private final int[] free;
        private int freeCount;

        Cut(SizeClass owner, Slab slab) {
            this.owner = owner;
            this.slab = slab;
            int blocks = Math.toIntExact(slab.bytes().byteSize() / owner.blockBytes);
            this.free = new int[blocks];
            this.freeCount = blocks;
            for (int i = 0; i < blocks; i++) {
                free[i] = blocks - 1 - i;
            }
        }

        SizeClass owner() {
            return owner;
        }

        Slab slab() {
            return slab;
        }

        int used() {
            return free.length - freeCount;
        }
    }

    int blockBytes() {
        return blockBytes;
    }

    int shard() {
        return shard;
    }

    long reservedBytes() {
        return slabs.stream().mapToLong(cut -> cut.slab.bytes().byteSize()).sum();
    }

    int freeBlocks() {
        return slabs.stream().mapToInt(cut -> cut.freeCount).sum();
    }

    void add(Slab slab) {
        slabs.add(new Cut(this, slab));
    }

    /** Takes a free block, from the oldest slab that has one, so that the youngest empties first. */
    Block take() {
        return take(cut -> true);
    }

    private Block take(Predicate<Cut> from) {
        for (Cut cut : slabs) {
            if (cut.freeCount > 0 && from.test(cut)) {
                return new Block(cut, cut.free[--cut.freeCount]);
            }
        }
        throw new IllegalStateException("no free block of " + blockBytes + " bytes");
    }

    /**
     * Moves pages out of the slabs that have fewest, as long as others have room for all of a slab's.
     *
     * @param pages pages in blocks of this size; a slab with blocks of others stays
     * @return the bytes of the slabs that became empty and were freed
     */
    long gather(List<Page> pages) {
        Map<Cut, List<Page>> bySlab = new HashMap<>();
        for (Page page : pages) {
            bySlab.computeIfAbsent(page.block().cut(), any -> new ArrayList<>()).add(page);
        }
        List<Cut> emptiest = slabs.stream()
                .sorted(Comparator.comparingInt(cut -> cut.used()))
                .toList();
        long freed = 0;
        for (Cut cut : emptiest) {
            List<Page> here = bySlab.getOrDefault(cut, List.of());
            if (freeBlocks() - cut.freeCount < cut.used()) {
                break; // those that have more find no room either
            }
            if (here.size() == cut.used()) {
                freed += empty(cut, here, bySlab);
            }
        }
        return freed;
    }

    private long empty(Cut cut, List<Page> pages, Map<Cut, List<Page>> bySlab) {
        long freed = 0;
        for (Page page : pages) {
            Block to = take(other -> other != cut);
            to.bytes().copyFrom(page.block().bytes());
            freed += give(page.moveTo(to));
            bySlab.computeIfAbsent(to.cut(), any -> new ArrayList<>()).add(page);
        }
        return freed;
    }

    /**
     * @param block a block in use
     * @return the bytes of the slab that became empty and was freed, or 0
     */
    long give(Block block) {
        Cut cut = block.cut();
        cut.free[cut.freeCount++] = block.index();
        if (cut.freeCount < cut.free.length) {
            return 0;
        }
        slabs.remove(cut);
        long bytes = cut.slab.bytes().byteSize();
        cut.slab.close();
        return bytes;
    }
}
