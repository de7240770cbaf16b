package org.pikv4j.trace;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.pikv4j.error.ModelFormatException;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.model.RopeSpec;

/** The free text in a trace's header, key by key: {@link Trace} lists them. */
final class TraceMetadata {
    private static final String FORMAT = "pikv4j-trace";
    private static final String VERSION = "1";
    private static final String FULL = "full";

    private final Path file;
    private final Map<String, String> texts;

    private TraceMetadata(Path file, Map<String, String> texts) {
        this.file = file;
        this.texts = texts;
    }

    static Map<String, String> of(String model, int promptTokens, int layers) {
        Map<String, String> texts = new LinkedHashMap<>();
        texts.put("format", FORMAT);
        texts.put("version", VERSION);
        texts.put("model", model);
        texts.put("prompt_tokens", Integer.toString(promptTokens));
        texts.put("layers", Integer.toString(layers));
        return texts;
    }

    /** What shapes do not say of a layer. */
    static void add(Map<String, String> texts, int layer, AttentionSpec spec) {
        texts.put(key(layer, "scale"), Float.toString(spec.scale()));
        texts.put(key(layer, "window"), spec.window() == AttentionSpec.FULL ? FULL : Integer.toString(spec.window()));
        texts.put(key(layer, "rope_theta"), Double.toString(spec.rope().theta()));
        texts.put(key(layer, "rope_dims"), Integer.toString(spec.rope().dims()));
    }

    private static String key(int layer, String name) {
        return "layers." + layer + "." + name;
    }

    /**
     * @throws ModelFormatException if they are not those of a trace
     */
    static TraceMetadata checked(Path file, Map<String, String> texts) {
        TraceMetadata metadata = new TraceMetadata(file, texts);
        if (!FORMAT.equals(texts.get("format"))) {
            throw new ModelFormatException(file, "is no trace: make one with run --trace");
        }
        String version = metadata.text("version");
        if (!version.equals(VERSION)) {
            throw new ModelFormatException(
                    file, "is a trace of version " + version + "; this program reads " + VERSION);
        }
        return metadata;
    }

    String text(String key) {
        String value = texts.get(key);
        if (value == null) {
            throw new ModelFormatException(file, "__metadata__." + key + " is missing");
        }
        return value;
    }

    int number(String key, int least, int most) {
        String text = text(key);
        long value = text.matches("\\d{1,10}") ? Long.parseLong(text) : -1;
        if (value < least || value > most) {
            throw new ModelFormatException(
                    file, "__metadata__." + key + " must be a number from " + least + " to " + most);
        }
        return (int) value;
    }

    /** The attention of a layer, whose heads the shapes say. */
    AttentionSpec attention(int layer, int heads, int kvHeads, int headDim) {
        String window = text(key(layer, "window"));
        return new AttentionSpec(
                heads,
                kvHeads,
                headDim,
                (float) positive(key(layer, "scale")),
                window.equals(FULL) ? AttentionSpec.FULL : number(key(layer, "window"), 1, Integer.MAX_VALUE),
                new RopeSpec(positive(key(layer, "rope_theta")), number(key(layer, "rope_dims"), 0, headDim)),
                AttentionSpec.QkNorm.NONE,
                Float.POSITIVE_INFINITY);
    }

    private double positive(String key) {
        double value;
        try {
            value = Double.parseDouble(text(key));
        } catch (NumberFormatException e) {
            value = Double.NaN;
        }
        if (!(value > 0 && value <= Float.MAX_VALUE)) {
            throw new ModelFormatException(file, "__metadata__." + key + " must be a positive number");
        }
        return value;
    }
}
