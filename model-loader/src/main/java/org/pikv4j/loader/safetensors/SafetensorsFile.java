package org.pikv4j.loader.safetensors;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.pikv4j.error.ModelFormatException;
import org.pikv4j.loader.json.JsonText;

/**
 * One safetensors file, mapped into memory: opening reads the header alone, and a tensor's bytes are read from disk
 * when they are first touched. The file must not be truncated while it is mapped.
 *
 * <pre>
 *   byte 0          8                 8 + n
 *   | n, u64 LE     | header, n bytes | tensor | tensor | …  to the end, no hole
 * </pre>
 */
public final class SafetensorsFile implements TensorSource {
    private static final ValueLayout.OfLong LENGTH = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Path file;
    private final MemorySegment mapped;
    private final Map<String, String> metadata;
    private final Map<String, RawTensor> tensors;

    private SafetensorsFile(Path file, MemorySegment mapped, Map<String, String> metadata, Map<String, RawTensor> t) {
        this.file = file;
        this.mapped = mapped;
        this.metadata = metadata;
        this.tensors = Collections.unmodifiableMap(t);
    }

    /**
     * @param file the file
     * @param arena owns the mapping; the tensors are valid until it is closed
     * @return the file, its header checked
     * @throws ModelFormatException if it cannot be read or is damaged
     */
    public static SafetensorsFile map(Path file, Arena arena) {
        MemorySegment mapped = mapBytes(file, arena);
        long headerBytes = mapped.get(LENGTH, 0);
        long limit = Math.min(SafetensorsHeader.MAX_BYTES, mapped.byteSize() - Long.BYTES);
        if (headerBytes < 0 || headerBytes > limit) {
            throw new ModelFormatException(
                    file,
                    "the header claims " + Long.toUnsignedString(headerBytes) + " bytes; at most " + limit
                            + " are possible");
        }
        byte[] header = mapped.asSlice(Long.BYTES, headerBytes).toArray(ValueLayout.JAVA_BYTE);
        if (header.length == 0 || header[0] != '{') {
            throw new ModelFormatException(file, "not a safetensors file: the header is not a JSON object");
        }
        MemorySegment data = mapped.asSlice(Long.BYTES + headerBytes);
        SafetensorsHeader parsed = SafetensorsHeader.parse(file, JsonText.decode(file, header), data.byteSize());
        Map<String, RawTensor> tensors = new LinkedHashMap<>();
        for (TensorInfo info : parsed.tensors()) {
            MemorySegment bytes = data.asSlice(info.begin(), info.end() - info.begin());
            tensors.put(info.name(), new RawTensor(file, info.name(), info.type(), info.shape(), bytes));
        }
        return new SafetensorsFile(file, mapped, parsed.metadata(), tensors);
    }

    @Override
    public Path listing() {
        return file;
    }

    /**
     * @return the free text of the header
     */
    public Map<String, String> metadata() {
        return metadata;
    }

    @Override
    public Set<String> names() {
        return tensors.keySet();
    }

    @Override
    public Optional<RawTensor> find(String name) {
        return Optional.ofNullable(tensors.get(name));
    }

    @Override
    public long mappedBytes() {
        return mapped.byteSize();
    }

    private static MemorySegment mapBytes(Path file, Arena arena) {
        try {
            if (!Files.exists(file)) {
                throw new NoSuchFileException(file.toString());
            }
            // Opening a named pipe would wait for a writer.
            if (!Files.isRegularFile(file)) {
                throw new ModelFormatException(file, "not a regular file");
            }
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
                long size = channel.size();
                if (size < Long.BYTES) {
                    throw new ModelFormatException(
                            file, "not a safetensors file: " + size + " bytes are too few for a header");
                }
                return channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena);
            }
        } catch (IOException e) {
            throw JsonText.unreadable(file, e);
        }
    }
}
