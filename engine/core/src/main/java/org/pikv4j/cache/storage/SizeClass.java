package org.pikv4j.cache.storage;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

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
        for (Cut cut : slabs) {
            if (cut.freeCount > 0) {
                return new Block(cut, cut.free[--cut.freeCount]);
            }
        }
        throw new IllegalStateException("no free block of " + blockBytes + " bytes");
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
