package org.pikv4j.loader.config;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.pikv4j.error.ModelFormatException;
import org.pikv4j.loader.config.Family.AttentionBias;
import org.pikv4j.loader.config.Family.Experts;
import org.pikv4j.loader.json.Fields;
import org.pikv4j.loader.json.JsonText;
import org.pikv4j.loader.json.Lines;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.model.FeedForwardSpec;
import org.pikv4j.model.LayerSpec;
import org.pikv4j.model.ModelConfig;
import org.pikv4j.model.RopeSpec;

/**
 * A {@code config.json}, read and checked.
 *
 * @param family the family it belongs to
 * @param model the model's shape
 * @param biases which linear maps have a bias
 * @param endTokens {@code eos_token_id}; empty where absent
 */
public record HuggingFaceConfig(Family family, ModelConfig model, Biases biases, List<Integer> endTokens) {
    /** The name of the file in a model's directory. */
    public static final String FILE = "config.json";

    private static final int MAX_BYTES = 16 << 20;

    /** Far above any model, and low enough that a damaged number costs no memory. */
    private static final int MAX_LAYERS = 10_000;

    static final int MAX_EXPERTS = 65_536;

    /** Tables of pages of one sequence, a hundred times those of the largest models. */
    private static final int MAX_TABLES = 1 << 20;

    private static final Set<String> ENCODER_DECODERS = Set.of(
            "bart", "longt5", "mbart", "mt5", "nllb-moe", "pegasus", "switch_transformers", "t5", "umt5", "whisper");

    public HuggingFaceConfig {
        endTokens = List.copyOf(endTokens);
    }

    /**
     * @param directory a model's directory
     * @return its configuration
     * @throws ModelFormatException naming the field that is missing, absurd or not supported
     */
    public static HuggingFaceConfig read(Path directory) {
        return of(fields(directory.resolve(FILE)));
    }

    /** A configuration's fields, whatever they say. */
    static Fields fields(Path file) {
        return JsonText.object(file, MAX_BYTES);
    }

    /** What can be run. */
    static HuggingFaceConfig of(Fields fields) {
        return new Reader(family(fields), fields, true).read();
    }

    /**
     * What a model of a known family looks like, also where its weights or its rotary embedding are of a kind that cannot be
     * run.
     */
    static HuggingFaceConfig shape(Family family, Fields fields) {
        return new Reader(family, fields, false).read();
    }

    private static Family family(Fields fields) {
        String modelType = fields.string("model_type").orElseThrow(() -> fields.missing("model_type"));
        Optional<Family> family = Family.of(modelType);
        if (family.isPresent()) {
            return family.get();
        }
        String kind = ENCODER_DECODERS.contains(modelType) || fields.flag("is_encoder_decoder", false)
                ? ", an encoder-decoder; only decoders are supported: "
                : ", which is not supported; supported are ";
        throw fields.error("model_type", "is " + Lines.quote(modelType) + kind + Family.supported());
    }

    static void checkLayers(Fields fields, int layers) {
        if (layers > MAX_LAYERS) {
            throw fields.error("num_hidden_layers", "is " + layers + ", more than the " + MAX_LAYERS + " possible");
        }
    }

    static void checkTables(Fields fields, int layers, int kvHeads) {
        if ((long) layers * kvHeads > MAX_TABLES) {
            String field = fields.has("num_key_value_heads") ? "num_key_value_heads" : "num_attention_heads";
            throw fields.error(field, "is absurd: " + layers + " layers of " + kvHeads + " KV heads");
        }
    }

    /** Reads the fields that every family has in common, each with the family's default. */
    private static final class Reader {
        private final Family family;
        private final Fields fields;
        private final boolean toRun;

        Reader(Family family, Fields fields, boolean toRun) {
            this.family = family;
            this.fields = fields;
            this.toRun = toRun;
        }

        HuggingFaceConfig read() {
            if (toRun) {
                refuseWhatWouldBeIgnored();
            }
            int hidden = fields.positive("hidden_size");
            int layers = fields.positive("num_hidden_layers");
            checkLayers(fields, layers);
            AttentionSpec attention = attention(hidden);
            checkTables(fields, layers, attention.kvHeads());
            ModelConfig model = new ModelConfig(
                    family.modelType(),
                    hidden,
                    fields.positive("vocab_size"),
                    fields.positive("max_position_embeddings", family.maxPositions()),
                    normEpsilon(),
                    fields.flag("tie_word_embeddings", false),
                    layers(attention, layers));
            return new HuggingFaceConfig(family, model, biases(), fields.indices("eos_token_id"));
        }

        private void refuseWhatWouldBeIgnored() {
            String activation = fields.string("hidden_act").orElse("silu");
            if (!activation.equals("silu") && !activation.equals("swish")) {
                throw fields.error("hidden_act", "is " + Lines.quote(activation) + "; only silu is supported");
            }
            Optional<Fields> quantization = fields.object("quantization_config");
            if (quantization.isPresent()) {
                String method = quantization.get().string("quant_method").orElse("unnamed");
                throw fields.error("quantization_config", "asks for " + Lines.quote(method) + ", not supported");
            }
        }

        private float normEpsilon() {
            double epsilon = fields.number("rms_norm_eps").orElse(family.normEpsilon());
            if (epsilon < 0 || epsilon > 1) {
                throw fields.error("rms_norm_eps", "is " + epsilon + ", expected a number from 0 to 1");
            }
            return (float) epsilon;
        }

        private Biases biases() {
            boolean attention = family.attentionBias() == AttentionBias.ALL && fields.flag("attention_bias", false);
            boolean qkv = family.attentionBias() == AttentionBias.QKV && fields.flag("qkv_bias", true);
            boolean mlp = family.mlpBias() && fields.flag("mlp_bias", false);
            return new Biases(attention || qkv, attention, mlp);
        }

        /** The attention of a layer without a window. */
        private AttentionSpec attention(int hidden) {
            int heads = fields.positive("num_attention_heads");
            int kvHeads = kvHeads(heads);
            int headDim = headDim(hidden, heads);
            RopeSpec rope = toRun
                    ? RopeFields.read(fields, family.ropeTheta(), headDim)
                    : new RopeSpec(family.ropeTheta(), headDim);
            float clip = family.clips()
                    ? (float) fields.positiveNumber("clip_qkv").orElse(Double.POSITIVE_INFINITY)
                    : Float.POSITIVE_INFINITY;
            float scale = (float) (1 / Math.sqrt(headDim));
            return new AttentionSpec(heads, kvHeads, headDim, scale, AttentionSpec.FULL, rope, family.qkNorm(), clip);
        }

        private int kvHeads(int heads) {
            int absent = fields.mentions("num_key_value_heads")
                    ? heads
                    : family.kvHeads().orElse(heads);
            int kvHeads = fields.positive("num_key_value_heads", absent);
            if (heads % kvHeads != 0) {
                throw fields.error(
                        "num_attention_heads", "is " + heads + ", no multiple of num_key_value_heads " + kvHeads);
            }
            return kvHeads;
        }

        private int headDim(int hidden, int heads) {
            OptionalInt given = fields.optionalPositive("head_dim");
            if (given.isEmpty() && hidden % heads != 0) {
                throw fields.error(
                        "hidden_size",
                        "is " + hidden + ", no multiple of num_attention_heads " + heads
                                + ", and there is no head_dim");
            }
            int headDim = given.orElse(hidden / heads);
            if (headDim % 2 != 0) {
                throw fields.error("head_dim", "is " + headDim + "; rotary positions need an even one");
            }
            if ((long) heads * headDim > Integer.MAX_VALUE) {
                throw fields.error("head_dim", "is " + headDim + ", absurd for " + heads + " heads");
            }
            return headDim;
        }

        private List<LayerSpec> layers(AttentionSpec full, int count) {
            int[] windows = WindowFields.read(fields, family.windows(), family.slidingWindow(), count);
            Optional<FeedForwardSpec> sparse = family.experts().flatMap(this::sparse);
            boolean[] dense = denseLayers(count, sparse.isPresent());
            OptionalInt denseWidth = OptionalInt.empty();
            List<LayerSpec> layers = new ArrayList<>();
            for (int layer = 0; layer < count; layer++) {
                if (dense[layer] && denseWidth.isEmpty()) {
                    denseWidth = OptionalInt.of(fields.positive("intermediate_size"));
                }
                FeedForwardSpec feedForward =
                        dense[layer] ? new FeedForwardSpec.Dense(denseWidth.getAsInt()) : sparse.orElseThrow();
                layers.add(new LayerSpec(withWindow(full, windows[layer]), feedForward));
            }
            return layers;
        }

        /** Layer i is sparse if it is not listed as dense and i + 1 is a multiple of the step. */
        private boolean[] denseLayers(int count, boolean experts) {
            boolean[] dense = new boolean[count];
            boolean pattern = family.experts().map(Experts::denseLayers).orElse(false);
            int step = pattern ? fields.positive("decoder_sparse_step", 1) : 1;
            Set<Integer> listed = pattern ? new HashSet<>(fields.indices("mlp_only_layers")) : Set.of();
            for (int layer = 0; layer < count; layer++) {
                dense[layer] = !experts || listed.contains(layer) || (layer + 1) % step != 0;
            }
            return dense;
        }

        private Optional<FeedForwardSpec> sparse(Experts rule) {
            int experts = experts();
            if (experts == 0 && rule.denseLayers()) {
                return Optional.empty();
            }
            if (experts == 0 || experts > MAX_EXPERTS) {
                throw fields.error(expertsField(), "is " + experts + ", expected 1 to " + MAX_EXPERTS);
            }
            int topK = fields.positive("num_experts_per_tok", rule.perToken());
            if (topK > experts) {
                throw fields.error(
                        "num_experts_per_tok", "is " + topK + ", but there are only " + experts + " experts");
            }
            OptionalInt shared = OptionalInt.empty();
            if (rule.shared()) {
                String field = "shared_expert_intermediate_size";
                int width = fields.atLeast(field, 0).orElseThrow(() -> fields.missing(field));
                shared = width == 0 ? OptionalInt.empty() : OptionalInt.of(width);
            }
            boolean renormalise = rule.alwaysRenormalised() || fields.flag("norm_topk_prob", false);
            int width = fields.positive(rule.widthField());
            return Optional.of(new FeedForwardSpec.Sparse(experts, topK, width, renormalise, shared));
        }

        /** The hub's files say one, files saved by newer versions the other; both together must agree. */
        private int experts() {
            OptionalInt hub = fields.atLeast("num_experts", 0);
            OptionalInt local = fields.atLeast("num_local_experts", 0);
            if (hub.isPresent() && local.isPresent() && hub.getAsInt() != local.getAsInt()) {
                throw fields.error(
                        "num_experts", "is " + hub.getAsInt() + ", but num_local_experts is " + local.getAsInt());
            }
            if (hub.isEmpty() && local.isEmpty()) {
                throw fields.missing(expertsField());
            }
            return hub.isPresent() ? hub.getAsInt() : local.getAsInt();
        }

        private String expertsField() {
            return fields.has("num_experts") ? "num_experts" : "num_local_experts";
        }

        private static AttentionSpec withWindow(AttentionSpec full, int window) {
            return new AttentionSpec(
                    full.heads(),
                    full.kvHeads(),
                    full.headDim(),
                    full.scale(),
                    window,
                    full.rope(),
                    full.qkNorm(),
                    full.clip());
        }
    }
}
