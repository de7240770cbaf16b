package org.pikv4j.cache.storage;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileSystemException;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.pikv4j.error.KvBudgetExceededException;
import org.pikv4j.memory.ByteSize;

/**
 * The pages of a sequence and its forks that memory has no room for: slots of one file, which is made when the first page
 * comes and deleted when the last of the sequences is closed. A page is written once and read where it lies, through a
 * mapping (FlexGen, arXiv 2303.06865, §4).
 *
 * <p><b>Who owns what.</b> A page owns its slot until its last reference goes; an extent of the file owns its mapping, and is
 * unmapped when its last slot is given back, as a slab of memory is. So no page is ever without its mapping. {@link PagePool}
 * alone puts pages here and takes them away, and keeps the account.
 *
 * <p>Prefetching reads what is not in memory, and changes nothing. It holds the lock that unmapping needs, for at most 1 MiB at a time.
 */
public final class SecondTier {
    private static final long FIRST_EXTENT_BYTES = 256 << 10;
    private static final long LARGEST_EXTENT_BYTES = 16L << 20;
    /** The most that is read under the lock at once. */
    private static final long PREFETCHED_BYTES = 1 << 20;

    private final TierDirectory directory;
    private final Executor prefetcher;
    private final Map<Integer, SizeClass> classes = new HashMap<>();
    private Optional<TierFile> file = Optional.empty();
    private int sequences = 1;
    private volatile int wantedLayer = -1;

    /**
     * For one sequence, which is counted.
     *
     * @param directory where the file will be
     * @param prefetcher reads ahead
     */
    public SecondTier(TierDirectory directory, Executor prefetcher) {
        this.directory = directory;
        this.prefetcher = prefetcher;
    }

    /**
     * @return length of the file
     */
    synchronized long fileBytes() {
        return file.map(TierFile::bytes).orElse(0L);
    }

    /**
     * Writes a page.
     *
     * @param page its bytes
     * @return where they are now
     * @throws KvBudgetExceededException if they cannot be written; nothing has changed then
     */
    synchronized SizeClass.Block put(MemorySegment page) {
        SizeClass sizeClass =
                classes.computeIfAbsent(Math.toIntExact(page.byteSize()), bytes -> new SizeClass(bytes, Page.HERE));
        boolean interrupted = Thread.interrupted(); // it would close the file; user code may have left it behind
        try {
            if (sizeClass.freeBlocks() == 0) {
                sizeClass.add(grow(sizeClass));
            }
            SizeClass.Block slot = sizeClass.take();
            try {
                extent(slot).write(slot.offset(), page);
                return slot;
            } catch (Throwable t) {
                sizeClass.give(slot);
                throw t;
            }
        } catch (IOException | OutOfMemoryError e) {
            throw new KvBudgetExceededException("the KV cache's second tier in " + directory.path() + ", a file of "
                    + ByteSize.format(fileBytes()) + ", cannot take another page of "
                    + ByteSize.format(page.byteSize()) + ": " + reason(e)
                    + "; make room there, name another directory, or raise kv-budget");
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Exceptions of the file system say what is wrong with their class, and nothing but the path with their message. */
    private static String reason(Throwable e) {
        return e instanceof FileSystemException ? e.toString() : String.valueOf(e.getMessage());
    }

    private TierFile.Extent grow(SizeClass sizeClass) throws IOException {
        if (file.isEmpty()) {
            file = Optional.of(TierFile.create(directory));
        }
        long block = sizeClass.blockBytes();
        long wanted = Math.clamp(sizeClass.reservedBytes(), FIRST_EXTENT_BYTES, LARGEST_EXTENT_BYTES) / block * block;
        if (wanted > block) {
            try {
                return file.get().allocate(wanted);
            } catch (IOException e) {
                // There may be room for less.
            }
        }
        return file.get().allocate(block);
    }

    /** Takes a slot back. */
    synchronized void give(SizeClass.Block slot) {
        slot.cut().owner().give(slot);
    }

    /** One sequence more may put pages here. */
    synchronized void retain() {
        sequences++;
    }

    /** One sequence is closed, and holds no page any more; the last one deletes the file. */
    synchronized void release() {
        sequences--;
        if (sequences == 0 && file.isPresent()) {
            try {
                file.get().close();
            } catch (IOException e) {
                // All was unmapped; what the system makes of its file is its own business.
            }
            file = Optional.empty();
        }
    }

    /**
     * Has pages read from the disk by the time that they are needed. What was asked for other layers and has not been read by
     * then is needed no more.
     *
     * @param layer index of the layer
     * @param slots where they lie
     */
    void prefetch(int layer, List<SizeClass.Block> slots) {
        wantedLayer = layer;
        if (!slots.isEmpty()) {
            prefetcher.execute(() -> load(layer, slots));
        }
    }

    /** Neighbours together: asking the system whether a page is in memory costs more than a small page's reading. */
    private void load(int layer, List<SizeClass.Block> slots) {
        List<SizeClass.Block> byPlace = slots.stream()
                .sorted(Comparator.comparingLong(slot -> extent(slot).place(slot.offset())))
                .toList();
        int to;
        for (int from = 0; from < byPlace.size() && wantedLayer == layer; from = to) {
            SizeClass.Block first = byPlace.get(from);
            long size = first.cut().owner().blockBytes();
            to = from + 1;
            while (to < byPlace.size()
                    && byPlace.get(to).cut().equals(first.cut())
                    && byPlace.get(to).offset() == first.offset() + size
                    && size < PREFETCHED_BYTES) {
                size += first.cut().owner().blockBytes();
                to++;
            }
            load(first, size);
        }
    }

    private synchronized void load(SizeClass.Block first, long size) {
        extent(first).load(first.offset(), size);
    }

    /** All slabs of these classes are extents. */
    private static TierFile.Extent extent(SizeClass.Block slot) {
        return (TierFile.Extent) slot.cut().slab();
    }
}
