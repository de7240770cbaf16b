package org.pikv4j.cache.storage;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.TreeMap;
import org.pikv4j.tensor.NativeView;

/**
 * A file that is read through mappings and written through its channel. It consists of <em>extents</em>, each with a mapping
 * and an arena of its own; one that is freed at the end shortens the file, one before it leaves a gap for later ones.
 *
 * <p>Nothing maps a byte that was not written: a mapped page that the disk has no room for would end the process when it is
 * touched. A full disk shows as an exception of the write instead. Mappings are read-only for the same reason.
 *
 * <p>The file loses its name as soon as it is open, where the system allows that, and else when it is closed: whatever ends
 * the process, nothing is left behind.
 */
final class TierFile implements AutoCloseable {
    /** What file systems write at once; an extent that begins in the middle of a block has it read first. */
    private static final int ALIGNMENT = 4096;

    private final FileChannel channel;
    private final long mostBytes;
    private final TreeMap<Long, Long> extents = new TreeMap<>(); // first byte to one past the last
    private long bytes;

    private TierFile(FileChannel channel, long mostBytes) {
        this.channel = channel;
        this.mostBytes = mostBytes;
    }

    /**
     * @param directory where
     * @return an empty file that only its owner can read
     */
    static TierFile create(TierDirectory directory) throws IOException {
        Path name = Files.createTempFile(directory.path(), "pikv4j-kv-", ".tier");
        try {
            FileChannel channel = FileChannel.open(
                    name, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.DELETE_ON_CLOSE);
            return new TierFile(channel, directory.mostBytes());
        } catch (Throwable t) {
            Files.deleteIfExists(name);
            throw t;
        }
    }

    /**
     * @return its length
     */
    long bytes() {
        return bytes;
    }

    /**
     * @param size bytes
     * @return a new extent of that size
     * @throws IOException if there is no room; the file is as before then
     */
    Extent allocate(long size) throws IOException {
        long first = 0;
        for (var extent : extents.entrySet()) {
            if (extent.getKey() - first >= size) {
                break;
            }
            first = Math.ceilDiv(extent.getValue(), ALIGNMENT) * ALIGNMENT;
        }
        Arena arena = Arena.ofShared();
        try {
            fill(first + size);
            MemorySegment mapped = channel.map(FileChannel.MapMode.READ_ONLY, first, size, arena);
            extents.put(first, first + size);
            return new Extent(first, mapped, arena);
        } catch (Throwable t) {
            arena.close();
            shorten();
            throw t;
        }
    }

    /** Makes the file at least so long, with bytes that are really there. */
    private void fill(long length) throws IOException {
        if (length > mostBytes) {
            throw new IOException("that would be more than the " + mostBytes + " bytes that it may take");
        }
        ByteBuffer zeros = ByteBuffer.allocateDirect(Math.clamp(length - bytes, 0, 1 << 20));
        while (bytes < length) {
            zeros.limit((int) Math.min(zeros.capacity(), length - bytes)).position(0);
            bytes += channel.write(zeros, bytes);
        }
    }

    /** Cuts off what lies behind the last extent. */
    private void shorten() {
        long length = extents.isEmpty() ? 0 : extents.lastEntry().getValue();
        if (length < bytes) {
            try {
                channel.truncate(length);
                bytes = length;
            } catch (IOException e) {
                // Some systems do not shorten a file while any part of it is mapped: it stays as long as it is.
            }
        }
    }

    /** Ends the file, whose extents are all closed. */
    @Override
    public void close() throws IOException {
        if (!extents.isEmpty()) {
            throw new IllegalStateException(extents.size() + " extents are in use");
        }
        bytes = 0;
        channel.close();
    }

    /** Some bytes of the file, which its closing gives back. */
    final class Extent implements Slab {
        private final long first;
        private final MemorySegment mapped;
        private final MemorySegment view;
        private final Arena arena;

        private Extent(long first, MemorySegment mapped, Arena arena) {
            this.first = first;
            this.mapped = mapped;
            this.view = NativeView.of(mapped);
            this.arena = arena;
        }

        @Override
        public MemorySegment bytes() {
            return view;
        }

        /**
         * @param offset where in this extent
         * @param source what to write there
         * @throws IOException if it cannot be written, or not be read again
         */
        void write(long offset, MemorySegment source) throws IOException {
            ByteBuffer buffer = source.asByteBuffer();
            while (buffer.hasRemaining()) {
                channel.write(buffer, first + offset + buffer.position());
            }
            // That a mapping shows what is written beside it is the custom of systems, not their promise.
            if (view.asSlice(offset, source.byteSize()).mismatch(source) >= 0) {
                throw new IOException("the file system does not show in mapped memory what was written to the file");
            }
        }

        /**
         * @param offset where in this extent
         * @return where that is in the file
         */
        long place(long offset) {
            return first + offset;
        }

        /** Reads from the disk what is not in memory; does nothing to a closed extent. */
        void load(long offset, long size) {
            if (arena.scope().isAlive()) {
                MemorySegment part = mapped.asSlice(offset, size);
                if (!part.isLoaded()) {
                    part.load();
                }
            }
        }

        @Override
        public void close() {
            arena.close();
            extents.remove(first);
            shorten();
        }
    }
}
