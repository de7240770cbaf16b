package org.pikv4j.calibration;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.model.AttentionWeights;
import org.pikv4j.model.LayerSpec;
import org.pikv4j.model.LayerWeights;
import org.pikv4j.model.LoadedModel;
import org.pikv4j.tensor.Tensor;

/**
 * What tells one model from another: its shape, and the first bytes of its embedding and of each layer's key and value
 * projections, which training the whole model changes; adapters elsewhere go unnoticed. A few pages of the weights are read,
 * no more. The same weights in another number format are another model to it.
 */
final class ModelFingerprint {
    private static final long BYTES_OF_A_TENSOR = 4096;

    private ModelFingerprint() {}

    /** SHA-256 in hexadecimal digits. */
    static String of(LoadedModel model) {
        MessageDigest digest = sha256();
        digest.update(shape(model).getBytes(StandardCharsets.UTF_8));
        update(digest, model.weights().embedding());
        for (LayerWeights layer : model.weights().layers()) {
            AttentionWeights attention = layer.attention();
            update(digest, attention.key().weight());
            update(digest, attention.value().weight());
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /** A model in a few words, for messages. */
    static String describe(LoadedModel model) {
        AttentionSpec attention = model.config().layers().getFirst().attention();
        return "%s, %d layers of %d KV heads of %d"
                .formatted(
                        model.config().architecture(),
                        model.config().layers().size(),
                        attention.kvHeads(),
                        attention.headDim());
    }

    private static String shape(LoadedModel model) {
        StringBuilder shape = new StringBuilder(model.config().architecture());
        for (LayerSpec layer : model.config().layers()) {
            AttentionSpec attention = layer.attention();
            shape.append(' ').append(attention.heads());
            shape.append('/').append(attention.kvHeads());
            shape.append('/').append(attention.headDim());
        }
        return shape.toString();
    }

    private static void update(MessageDigest digest, Tensor tensor) {
        MemorySegment data = tensor.data();
        long bytes = Math.min(BYTES_OF_A_TENSOR, data.byteSize());
        digest.update(data.asSlice(0, bytes).toArray(ValueLayout.JAVA_BYTE));
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
