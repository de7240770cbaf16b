package org.pikv4j.trace;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.pikv4j.error.ModelFormatException;
import org.pikv4j.loader.safetensors.ElementType;
import org.pikv4j.loader.safetensors.RawTensor;
import org.pikv4j.loader.safetensors.SafetensorsFile;
import org.pikv4j.model.AttentionSpec;

/**
 * Queries, keys, values and gates of one sequence, as a {@link TraceRecorder} saw them, in a safetensors file that is mapped
 * into memory:
 *
 * <pre>
 *   tokens             I32 (tokens)                      ids, of the prompt and of what was generated and read again
 *   layers.N.queries   F32 (tokens, heads, headDim)      after norm and rotation, not scaled
 *   layers.N.keys      F32 (tokens, kvHeads, headDim)    after norm and rotation, as computed
 *   layers.N.values    F32 (tokens, kvHeads, headDim)    as computed
 *   layers.N.gates     F32 (tokens, experts)             the router's probabilities; layers with experts
 *
 *   metadata: format               pikv4j-trace
 *             version              1
 *             model                its name
 *             prompt_tokens        how many of the tokens are the prompt
 *             layers               how many
 *             layers.N.scale       factor on q·k
 *             layers.N.window      newest tokens that a query sees, or full
 *             layers.N.rope_theta  base of the rotary frequencies
 *             layers.N.rope_dims   elements rotated
 * </pre>
 *
 * May be read by many threads.
 */
public final class Trace implements AutoCloseable {
    static final String TOKENS = "tokens";

    /** Far beyond any model; keeps what is computed with them within int. */
    private static final int MOST_TOKENS = 1 << 24;

    private static final int MOST_WIDTH = 1 << 20;
    private static final int MOST_LAYERS = 1 << 16;
    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Path path;
    private final Arena arena;
    private final String model;
    private final int promptTokens;
    private final int[] tokens;
    private final List<Layer> layers = new ArrayList<>();
    private final List<Map<TracePart, RawTensor>> tensors = new ArrayList<>();

    /**
     * A layer.
     *
     * @param spec its attention; norm and clip are not in it, since they are done with
     * @param experts number of experts whose gates were recorded; 0 for none
     */
    public record Layer(AttentionSpec spec, int experts) {}

    private Trace(Path path, Arena arena) {
        this.path = path;
        this.arena = arena;
        SafetensorsFile file = SafetensorsFile.map(path, arena);
        TraceMetadata metadata = TraceMetadata.checked(path, file.metadata());
        RawTensor ids = file.require(TOKENS);
        if (ids.shape().size() != 1 || ids.shape().getFirst() < 1 || ids.shape().getFirst() > MOST_TOKENS) {
            throw ids.error("has the shape " + ids.shape() + ", expected (tokens)");
        }
        tokens = ids.toInts();
        model = metadata.text("model");
        promptTokens = metadata.number("prompt_tokens", 1, tokens.length);
        int count = metadata.number("layers", 1, MOST_LAYERS);
        for (int layer = 0; layer < count; layer++) {
            add(file, metadata, layer);
        }
    }

    /**
     * @param file the file
     * @return the trace, which the caller closes
     * @throws ModelFormatException if the file cannot be read, is damaged, or is no trace
     */
    public static Trace open(Path file) {
        Arena arena = Arena.ofShared();
        try {
            return new Trace(file, arena);
        } catch (Throwable t) {
            arena.close();
            throw t;
        }
    }

    private void add(SafetensorsFile file, TraceMetadata metadata, int layer) {
        List<Long> queries = rowShape(file.require(TracePart.QUERIES.tensor(layer)), 2);
        RawTensor keyTensor = file.require(TracePart.KEYS.tensor(layer));
        List<Long> keys = rowShape(keyTensor, 2);
        if (queries.getFirst() % keys.getFirst() != 0 || !queries.getLast().equals(keys.getLast())) {
            throw keyTensor.error("has rows " + keys + ", which do not go with queries " + queries);
        }
        AttentionSpec spec = metadata.attention(
                layer,
                Math.toIntExact(queries.getFirst()),
                Math.toIntExact(keys.getFirst()),
                Math.toIntExact(keys.getLast()));
        int experts = file.find(TracePart.GATES.tensor(layer))
                .map(gates -> Math.toIntExact(rowShape(gates, 1).getFirst()))
                .orElse(0);
        Map<TracePart, RawTensor> parts = new EnumMap<>(TracePart.class);
        for (TracePart part : TracePart.values()) {
            List<Long> row = part.row(spec, experts);
            if (!row.isEmpty()) {
                RawTensor tensor = file.require(part.tensor(layer));
                if (!rowShape(tensor, row.size()).equals(row)) {
                    throw tensor.error("has the shape " + tensor.shape() + ", expected rows " + row);
                }
                parts.put(part, tensor);
            }
        }
        tensors.add(parts);
        layers.add(new Layer(spec, experts));
    }

    private List<Long> rowShape(RawTensor tensor, int dims) {
        List<Long> shape = tensor.shape();
        if (tensor.type() != ElementType.F32
                || shape.size() != dims + 1
                || shape.getFirst() != tokens.length
                || shape.stream().skip(1).anyMatch(dim -> dim < 1 || dim > MOST_WIDTH)
                || shape.stream().skip(1).reduce(1L, (a, b) -> a * b) > MOST_WIDTH) {
            throw tensor.error("is " + tensor.type() + " " + shape + ", expected F32 with a row for each of "
                    + tokens.length + " tokens");
        }
        return shape.subList(1, shape.size());
    }

    /**
     * @return the file
     */
    public Path path() {
        return path;
    }

    /**
     * @return the model's name
     */
    public String model() {
        return model;
    }

    /**
     * @return how many of the tokens are the prompt
     */
    public int promptTokens() {
        return promptTokens;
    }

    /**
     * @return number of tokens
     */
    public int length() {
        return tokens.length;
    }

    /**
     * @return the tokens' ids
     */
    public int[] tokens() {
        return tokens.clone();
    }

    /**
     * @return what there is of each layer
     */
    public List<Layer> layers() {
        return layers;
    }

    /**
     * Reads queries.
     *
     * @param layer index of the layer
     * @param first position of the first token
     * @param count number of tokens
     * @param into receives them: (count, heads, headDim)
     * @throws ModelFormatException if one is no finite number
     */
    public void queries(int layer, int first, int count, float[] into) {
        read(TracePart.QUERIES, layer, first, count, into);
    }

    /**
     * Reads keys: (count, kvHeads, headDim).
     *
     * @see #queries
     */
    public void keys(int layer, int first, int count, float[] into) {
        read(TracePart.KEYS, layer, first, count, into);
    }

    /**
     * Reads values: (count, kvHeads, headDim).
     *
     * @see #queries
     */
    public void values(int layer, int first, int count, float[] into) {
        read(TracePart.VALUES, layer, first, count, into);
    }

    /**
     * Reads gates: (count, experts); nothing for a layer without experts.
     *
     * @see #queries
     */
    public void gates(int layer, int first, int count, float[] into) {
        if (layers.get(layer).experts() > 0) {
            read(TracePart.GATES, layer, first, count, into);
        }
    }

    private void read(TracePart part, int layer, int first, int count, float[] into) {
        Layer of = layers.get(layer);
        int width = part.width(of.spec(), of.experts());
        RawTensor tensor = tensors.get(layer).get(part);
        if (tensor == null) {
            throw new IllegalStateException(part.tensor(layer) + " was not read");
        }
        MemorySegment.copy(tensor.data(), FLOAT, (long) first * width * Float.BYTES, into, 0, count * width);
        for (int i = 0; i < count * width; i++) {
            if (!Float.isFinite(into[i])) {
                throw tensor.error("holds a number that is not finite, for token " + (first + i / width));
            }
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
