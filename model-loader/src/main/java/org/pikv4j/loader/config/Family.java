package org.pikv4j.loader.config;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import org.pikv4j.model.AttentionSpec.QkNorm;

/**
 * What sets one family of models apart from the others, as Hugging Face transformers 5.18 defines it (its
 * {@code configuration_*.py} and {@code modeling_*.py}): the defaults of its {@code config.json} and the names of its
 * tensors. Sizes have no default here; a configuration that leaves one out is refused rather than guessed.
 *
 * @param modelType {@code model_type} in the file
 * @param ropeTheta base of the rotary frequencies
 * @param normEpsilon {@code rms_norm_eps}
 * @param maxPositions {@code max_position_embeddings}
 * @param kvHeads {@code num_key_value_heads} where it is not mentioned; empty for as many as query heads
 * @param windows which layers have a sliding window
 * @param slidingWindow {@code sliding_window} where it is not mentioned; empty for none
 * @param attentionBias which field says that projections have a bias
 * @param mlpBias whether {@code mlp_bias} says that dense blocks have a bias
 * @param qkNorm where queries and keys are normalised
 * @param clips whether {@code clip_qkv} bounds queries, keys and values
 * @param experts the sparse blocks; empty for a dense family
 */
public record Family(
        String modelType,
        double ropeTheta,
        float normEpsilon,
        int maxPositions,
        OptionalInt kvHeads,
        Windows windows,
        OptionalInt slidingWindow,
        AttentionBias attentionBias,
        boolean mlpBias,
        QkNorm qkNorm,
        boolean clips,
        Optional<Experts> experts) {

    /** Which layers have a sliding window where {@code layer_types} does not say it layer by layer. */
    public enum Windows {
        /** The family knows no window. */
        NONE,
        /** All layers, if {@code sliding_window} is set. */
        ALL_LAYERS,
        /** All layers, if {@code use_sliding_window} is true. */
        ALL_LAYERS_IF_USED,
        /** The even layers below {@code max_window_layers}, if {@code use_sliding_window} is true. */
        EVEN_LAYERS_IF_USED,
        /** The layers from {@code max_window_layers} on, if {@code use_sliding_window} is true (Qwen's dense models). */
        LATER_LAYERS_IF_USED,
        /** The even layers (gpt-oss). */
        EVEN_LAYERS,
        /** All but the last of each {@code sliding_window_pattern}, unless {@code use_sliding_window} is false. */
        ALL_BUT_EACH_LAST
    }

    /** Which field says that the projections of attention have a bias. */
    public enum AttentionBias {
        NONE,
        /** {@code attention_bias}, false where absent: query, key, value and output. */
        ALL,
        /** {@code qkv_bias}, true where absent: query, key and value. */
        QKV
    }

    /**
     * The sparse blocks of a family.
     *
     * @param perToken {@code num_experts_per_tok}
     * @param widthField the field with the inner width of one expert
     * @param alwaysRenormalised whether the chosen weights always add up to one; else {@code norm_topk_prob} says it
     * @param denseLayers whether {@code mlp_only_layers} and {@code decoder_sparse_step} make some layers dense
     * @param shared whether there is an expert that every token passes
     * @param names the names of the tensors
     */
    public record Experts(
            int perToken,
            String widthField,
            boolean alwaysRenormalised,
            boolean denseLayers,
            boolean shared,
            ExpertNames names) {}

    /**
     * The names of an expert's tensors in files with one tensor per expert.
     *
     * @param block the name of the sparse block within a layer
     * @param gate the projection that is activated
     * @param up the projection that it is multiplied with
     * @param down the projection back
     */
    public record ExpertNames(String block, String gate, String up, String down) {
        private static final ExpertNames MIXTRAL = new ExpertNames("block_sparse_moe", "w1", "w3", "w2");

        /** As Qwen and OLMoE name them, and the dense blocks of all families. */
        public static final ExpertNames MLP = new ExpertNames("mlp", "gate_proj", "up_proj", "down_proj");
    }

    private static final float EPS_5 = 1e-5f;
    private static final float EPS_6 = 1e-6f;

    static final Family MIXTRAL = new Family(
            "mixtral",
            1e6,
            EPS_5,
            131_072,
            OptionalInt.of(8),
            Windows.ALL_LAYERS,
            OptionalInt.empty(),
            AttentionBias.NONE,
            false,
            QkNorm.NONE,
            false,
            Optional.of(new Experts(2, "intermediate_size", true, false, false, ExpertNames.MIXTRAL)));

    static final Family LLAMA = new Family(
            "llama",
            1e4,
            EPS_6,
            2048,
            OptionalInt.empty(),
            Windows.NONE,
            OptionalInt.empty(),
            AttentionBias.ALL,
            true,
            QkNorm.NONE,
            false,
            Optional.empty());

    static final Family MISTRAL = new Family(
            "mistral",
            1e4,
            EPS_6,
            131_072,
            OptionalInt.of(8),
            Windows.ALL_LAYERS,
            OptionalInt.of(4096),
            AttentionBias.NONE,
            false,
            QkNorm.NONE,
            false,
            Optional.empty());

    static final Family QWEN2_MOE = new Family(
            "qwen2_moe",
            1e4,
            EPS_6,
            32_768,
            OptionalInt.of(16),
            Windows.EVEN_LAYERS_IF_USED,
            OptionalInt.of(4096),
            AttentionBias.QKV,
            false,
            QkNorm.NONE,
            false,
            Optional.of(new Experts(4, "moe_intermediate_size", false, true, true, ExpertNames.MLP)));

    static final Family QWEN3_MOE = new Family(
            "qwen3_moe",
            1e4,
            EPS_6,
            32_768,
            OptionalInt.of(4),
            Windows.ALL_LAYERS_IF_USED,
            OptionalInt.of(4096),
            AttentionBias.ALL,
            false,
            QkNorm.PER_HEAD,
            false,
            Optional.of(new Experts(8, "moe_intermediate_size", false, true, false, ExpertNames.MLP)));

    static final Family OLMOE = new Family(
            "olmoe",
            1e4,
            EPS_5,
            4096,
            OptionalInt.empty(),
            Windows.NONE,
            OptionalInt.empty(),
            AttentionBias.ALL,
            false,
            QkNorm.WHOLE_PROJECTION,
            true,
            Optional.of(new Experts(8, "intermediate_size", false, false, false, ExpertNames.MLP)));

    private static final List<Family> ALL = List.of(MIXTRAL, LLAMA, MISTRAL, QWEN2_MOE, QWEN3_MOE, OLMOE);

    /**
     * @param modelType {@code model_type} of a file
     * @return the family of that name, if it is supported
     */
    public static Optional<Family> of(String modelType) {
        return ALL.stream().filter(family -> family.modelType.equals(modelType)).findFirst();
    }

    /**
     * @return the names of the supported families, for messages
     */
    public static String supported() {
        return ALL.stream().map(Family::modelType).collect(Collectors.joining(", "));
    }
}
