package org.pikv4j.loader.safetensors;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import org.pikv4j.tensor.DType;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * Writes a safetensors file of any size in one pass: all tensors are declared first, then their elements are appended
 * in that order. The bytes go to a temporary file beside the target, which {@link #finish()} moves into place at once;
 * {@link #close()} without it removes the temporary file and leaves the target as it was.
 *
 * <pre>{@code
 * try (SafetensorsWriter writer = SafetensorsWriter.create(file, declarations, Map.of())) {
 *     writer.write(values, 0, values.length);
 *     writer.finish();
 * }
 * }</pre>
 *
 * <p>Not safe for use by many threads.
 */
public final class SafetensorsWriter implements AutoCloseable {
    private static final JsonFactory JSON = new JsonFactory();
    private static final int BUFFER_BYTES = 1 << 20;

    /** The data begin at a multiple of this, so that a mapped tensor is aligned; the header is padded with blanks. */
    private static final int ALIGNMENT = 8;

    private final Path target;
    private final Path temporary;
    private final FileChannel channel;
    private final List<TensorDeclaration> tensors;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private final MemorySegment bufferBytes = MemorySegment.ofBuffer(buffer);

    /** Index of the tensor whose elements come next, and how many bytes of it are still to come. */
    private int current = -1;

    private long remaining;

    private SafetensorsWriter(Path target, Path temporary, FileChannel channel, List<TensorDeclaration> tensors) {
        this.target = target;
        this.temporary = temporary;
        this.channel = channel;
        this.tensors = tensors;
        advance();
    }

    /**
     * @param target the file to write or replace
     * @param tensors what is going to be written, in this order
     * @param metadata free text for the header
     * @return a writer, which the caller closes
     * @throws IOException if the directory cannot be written to
     * @throws IllegalArgumentException if a name is declared twice or a shape is not possible
     */
    public static SafetensorsWriter create(Path target, List<TensorDeclaration> tensors, Map<String, String> metadata)
            throws IOException {
        List<TensorDeclaration> declared = List.copyOf(tensors);
        byte[] header = header(declared, metadata);
        Path name = target.getFileName();
        if (name == null || Files.isDirectory(target)) {
            throw new IOException(target + " is a directory");
        }
        Path temporary = target.resolveSibling("." + name + "." + UUID.randomUUID() + ".tmp");
        FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
        SafetensorsWriter writer = new SafetensorsWriter(target, temporary, channel, declared);
        try {
            writer.drain(ByteBuffer.allocate(Long.BYTES)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putLong(0, header.length));
            writer.drain(ByteBuffer.wrap(header));
            return writer;
        } catch (Throwable e) {
            closeAfter(writer, e);
            throw e;
        }
    }

    /**
     * Appends elements to the tensor whose turn it is, rounded to its type.
     *
     * @param values the elements
     * @param offset index of the first
     * @param count number of elements; not more than the tensor still lacks
     * @throws IOException if the file cannot be written
     */
    public void write(float[] values, int offset, int count) throws IOException {
        DType type = turn().type()
                .dtype()
                .orElseThrow(() -> new IllegalArgumentException(turn().name() + " holds no floating-point numbers"));
        Objects.checkFromIndexSize(offset, count, values.length);
        consume((long) count * type.bytes());
        for (int i = offset; i < offset + count; i++) {
            makeRoom();
            type.write(bufferBytes, buffer.position(), values[i]);
            buffer.position(buffer.position() + type.bytes());
        }
    }

    /**
     * Appends elements to the tensor whose turn it is, an I32 one.
     *
     * @param values the elements
     * @param offset index of the first
     * @param count number of elements; not more than the tensor still lacks
     * @throws IOException if the file cannot be written
     */
    public void write(int[] values, int offset, int count) throws IOException {
        if (turn().type() != ElementType.I32) {
            throw new IllegalArgumentException(turn().name() + " is not of type I32");
        }
        Objects.checkFromIndexSize(offset, count, values.length);
        consume((long) count * Integer.BYTES);
        for (int i = offset; i < offset + count; i++) {
            makeRoom();
            buffer.putInt(values[i]);
        }
    }

    /**
     * Appends bytes to the tensor whose turn it is, as they are.
     *
     * @param bytes elements in little-endian order; not more than the tensor still lacks
     * @throws IOException if the file cannot be written
     */
    public void write(MemorySegment bytes) throws IOException {
        turn();
        consume(bytes.byteSize());
        flush();
        for (long at = 0; at < bytes.byteSize(); at += BUFFER_BYTES) {
            drain(bytes.asSlice(at, Math.min(BUFFER_BYTES, bytes.byteSize() - at))
                    .asByteBuffer());
        }
    }

    /**
     * Puts the file in place.
     *
     * @throws IOException if it cannot be written, or an earlier write failed; the target is then as it was
     * @throws IllegalStateException if declared elements have not been written
     */
    public void finish() throws IOException {
        if (current < tensors.size()) {
            throw new IllegalStateException(tensors.get(current).name() + " lacks " + remaining + " bytes");
        }
        if (!channel.isOpen()) {
            throw new ClosedChannelException();
        }
        flush();
        channel.close();
        try {
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(temporary, target, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /** Removes what was written, unless it was finished. */
    @Override
    public void close() throws IOException {
        try {
            channel.close();
        } finally {
            Files.deleteIfExists(temporary);
        }
    }

    private TensorDeclaration turn() {
        if (current == tensors.size()) {
            throw new IllegalArgumentException("all declared tensors are complete");
        }
        return tensors.get(current);
    }

    private void consume(long bytes) {
        if (bytes > remaining) {
            throw new IllegalArgumentException(
                    turn().name() + " lacks " + remaining + " bytes, but " + bytes + " were given");
        }
        remaining -= bytes;
        if (remaining == 0) {
            advance();
        }
    }

    /** To the next tensor that has elements at all. */
    private void advance() {
        do {
            current++;
            remaining = current < tensors.size() ? tensors.get(current).bytes() : 0;
        } while (current < tensors.size() && remaining == 0);
    }

    private void makeRoom() throws IOException {
        if (buffer.remaining() < Long.BYTES) {
            flush();
        }
    }

    private void flush() throws IOException {
        drain(buffer.flip());
        buffer.clear();
    }

    private void drain(ByteBuffer bytes) throws IOException {
        try {
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        } catch (IOException e) {
            // What is missing now cannot be made up for: finish() must not succeed any more.
            channel.close();
            throw e;
        }
    }

    private static byte[] header(List<TensorDeclaration> tensors, Map<String, String> metadata) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (JsonGenerator json = JSON.createGenerator(ObjectWriteContext.empty(), bytes)) {
            json.writeStartObject();
            if (!metadata.isEmpty()) {
                json.writeName(SafetensorsHeader.METADATA);
                json.writeStartObject();
                metadata.forEach(json::writeStringProperty);
                json.writeEndObject();
            }
            writeTensors(json, tensors);
            json.writeEndObject();
        }
        while (bytes.size() % ALIGNMENT != 0) {
            bytes.write(' ');
        }
        if (bytes.size() > SafetensorsHeader.MAX_BYTES) {
            throw new IOException("a header of " + bytes.size() + " bytes is more than the format allows");
        }
        return bytes.toByteArray();
    }

    private static void writeTensors(JsonGenerator json, List<TensorDeclaration> tensors) {
        Set<String> names = new HashSet<>(Set.of(SafetensorsHeader.METADATA));
        long begin = 0;
        for (TensorDeclaration tensor : tensors) {
            if (!names.add(tensor.name())) {
                throw new IllegalArgumentException("the name " + tensor.name() + " is taken");
            }
            long end = Math.addExact(begin, tensor.bytes());
            json.writeName(tensor.name());
            json.writeStartObject();
            json.writeStringProperty("dtype", tensor.type().name());
            json.writeName("shape");
            json.writeArray(
                    tensor.shape().stream().mapToLong(Long::longValue).toArray(),
                    0,
                    tensor.shape().size());
            json.writeName("data_offsets");
            json.writeArray(new long[] {begin, end}, 0, 2);
            json.writeEndObject();
            begin = end;
        }
    }

    private static void closeAfter(SafetensorsWriter writer, Throwable cause) {
        try {
            writer.close();
        } catch (IOException e) {
            cause.addSuppressed(e);
        }
    }
}
