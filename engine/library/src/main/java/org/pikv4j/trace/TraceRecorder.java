package org.pikv4j.trace;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.pikv4j.decode.AttentionObserver;
import org.pikv4j.decode.AttentionRows;
import org.pikv4j.decode.GateRows;
import org.pikv4j.loader.safetensors.ElementType;
import org.pikv4j.loader.safetensors.SafetensorsWriter;
import org.pikv4j.loader.safetensors.TensorDeclaration;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.model.FeedForwardSpec;
import org.pikv4j.model.LayerSpec;
import org.pikv4j.model.ModelConfig;

/**
 * Records a {@link Trace} of one sequence, from its first token on. How long it gets is not known before it ends, and the file's
 * tensors are as long as it: rows go to a file of their own as they come, beside the target, and are put in order at the end. So
 * the heap holds none of them, and the disk, for a moment, all of them twice.
 *
 * <p>{@link #close()} without {@link #finish} leaves nothing behind.
 */
public final class TraceRecorder implements AttentionObserver, AutoCloseable {
    private static final int BUFFER_BYTES = 1 << 20;

    private final Path target;
    private final Path spool;
    private final FileChannel channel;
    private final List<Layer> layers = new ArrayList<>();
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private long written; // bytes, those in the buffer included

    /** Where rows lie in the spool. */
    private record Piece(long offset, long bytes) {}

    /** Rows of one kind. */
    private static final class Rows {
        final List<Piece> pieces = new ArrayList<>();
        int count;
    }

    /** What has come of a layer. */
    private record Layer(AttentionSpec spec, int experts, Map<TracePart, Rows> parts) {
        Layer(LayerSpec layer) {
            this(
                    layer.attention(),
                    layer.feedForward() instanceof FeedForwardSpec.Sparse sparse ? sparse.experts() : 0,
                    new EnumMap<>(TracePart.class));
        }
    }

    /**
     * @param target the file to write, or to replace, by {@link #finish}
     * @param config the model
     * @throws IOException if its directory cannot be written to
     */
    public TraceRecorder(Path target, ModelConfig config) throws IOException {
        this.target = target;
        this.spool = target.resolveSibling("." + target.getFileName() + "." + UUID.randomUUID() + ".tmp");
        config.layers().forEach(layer -> layers.add(new Layer(layer)));
        channel = FileChannel.open(
                spool, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
    }

    /**
     * @throws UncheckedIOException if the disk is full, for instance
     */
    @Override
    public void observe(AttentionRows rows) {
        int layer = rows.layer();
        AttentionSpec spec = rows.spec();
        append(
                TracePart.QUERIES,
                layer,
                rows.position(),
                rows.queries(),
                rows.first(),
                rows.count(),
                spec.queryWidth());
        append(TracePart.KEYS, layer, rows.position(), rows.keys(), rows.first(), rows.count(), spec.kvWidth());
        append(TracePart.VALUES, layer, rows.position(), rows.values(), rows.first(), rows.count(), spec.kvWidth());
    }

    /**
     * @throws UncheckedIOException if the disk is full, for instance
     */
    @Override
    public void observe(GateRows rows) {
        append(
                TracePart.GATES,
                rows.layer(),
                rows.position(),
                rows.probabilities(),
                rows.first(),
                rows.count(),
                rows.experts());
    }

    private void append(TracePart part, int layer, int position, float[] values, int first, int count, int width) {
        Rows into = layers.get(layer).parts().computeIfAbsent(part, _ -> new Rows());
        if (into.count != position) {
            throw new IllegalStateException(
                    "a trace takes one sequence from its first token on; position " + position + " came out of turn");
        }
        into.count += count;
        into.pieces.add(new Piece(written, (long) count * width * Float.BYTES));
        try {
            for (int i = first * width; i < (first + count) * width; i++) {
                if (buffer.remaining() < Float.BYTES) {
                    flush();
                }
                buffer.putFloat(values[i]);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        written += (long) count * width * Float.BYTES;
    }

    private void flush() throws IOException {
        buffer.flip();
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
        buffer.clear();
    }

    /**
     * @return tokens that all layers have seen
     */
    public int tokens() {
        return layers.stream()
                .mapToInt(layer -> layer.parts().values().stream()
                        .mapToInt(rows -> rows.count)
                        .min()
                        .orElse(0))
                .min()
                .orElse(0);
    }

    /**
     * Puts the file in place.
     *
     * @param model what to call the model
     * @param ids of the sequence; those behind what was recorded, the last one generated for instance, are left out
     * @param promptTokens how many of them are the prompt
     * @throws IOException if it cannot be written; the target is then as it was
     * @throws IllegalStateException if nothing was recorded, or not the same of all layers
     */
    public void finish(String model, int[] ids, int promptTokens) throws IOException {
        int tokens = tokens();
        boolean even = layers.stream()
                .flatMap(layer -> layer.parts().values().stream())
                .allMatch(rows -> rows.count == tokens);
        if (tokens == 0 || tokens > ids.length || !even) {
            throw new IllegalStateException(tokens + " tokens of " + ids.length + " were recorded of all layers");
        }
        flush();
        Map<String, String> metadata = TraceMetadata.of(model, Math.min(promptTokens, tokens), layers.size());
        List<TensorDeclaration> declarations = new ArrayList<>();
        declarations.add(new TensorDeclaration(Trace.TOKENS, ElementType.I32, tokens));
        for (int l = 0; l < layers.size(); l++) {
            Layer layer = layers.get(l);
            TraceMetadata.add(metadata, l, layer.spec());
            for (TracePart part : layer.parts().keySet()) {
                List<Long> shape = new ArrayList<>(List.of((long) tokens));
                shape.addAll(part.row(layer.spec(), layer.experts()));
                declarations.add(new TensorDeclaration(part.tensor(l), ElementType.F32, shape));
            }
        }
        try (Arena arena = Arena.ofConfined();
                SafetensorsWriter writer = SafetensorsWriter.create(target, declarations, metadata)) {
            MemorySegment all = channel.map(FileChannel.MapMode.READ_ONLY, 0, written, arena);
            writer.write(ids, 0, tokens);
            for (Layer layer : layers) {
                for (Rows rows : layer.parts().values()) {
                    for (Piece piece : rows.pieces) {
                        writer.write(all.asSlice(piece.offset(), piece.bytes()));
                    }
                }
            }
            writer.finish();
        }
    }

    @Override
    public void close() throws IOException {
        try {
            channel.close();
        } finally {
            Files.deleteIfExists(spool);
        }
    }
}
