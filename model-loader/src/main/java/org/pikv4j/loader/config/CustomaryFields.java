package org.pikv4j.loader.config;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.IntPredicate;
import org.pikv4j.loader.config.Family.Windows;
import org.pikv4j.loader.json.Fields;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.model.RopeSpec;
import org.pikv4j.plan.KvShape;
import org.pikv4j.plan.LayerShape;

/**
 * The fields that most decoders' files have in common, for planning alone: attention per head or with a latent (DeepSeek-V2,
 * arXiv 2405.04434, §2.1), windows layer by layer, experts behind a few dense layers, shared ones beside them.
 */
final class CustomaryFields {
    private static final String GPT_OSS = "gpt_oss";

    /** {@code sliding_window} of these types where it is not mentioned (transformers 5.18, {@code configuration_*.py}). */
    private static final OptionalInt GPT_OSS_WINDOW = OptionalInt.of(128);

    private static final OptionalInt QWEN_WINDOW = OptionalInt.of(4096);

    /** Types whose numbers were checked against the models as they are published. */
    static final Set<String> KNOWN = Set.of(GPT_OSS, "deepseek_v2", "deepseek_v3", "qwen2", "qwen3");

    /** Types that have no attention but that with a latent. */
    private static final Set<String> LATENT = Set.of("deepseek_v2", "deepseek_v3");

    /** Wider than any, and low enough that no page of it is beyond an int. */
    private static final int MAX_WIDTH = 1 << 16;

    private final Fields fields;
    private final String type;
    private final int hidden;
    private final int heads;

    CustomaryFields(Fields fields, String type) {
        this.fields = fields;
        this.type = type;
        this.hidden = fields.positive("hidden_size");
        this.heads = fields.positive("num_attention_heads");
    }

    Parts read() {
        int count = fields.positive("num_hidden_layers");
        HuggingFaceConfig.checkLayers(fields, count);
        RecurrentFields.refuse(fields);
        boolean latent = LATENT.contains(type) || fields.has("kv_lora_rank");
        int[] windows = latent ? new int[0] : windows(count);
        boolean[] sparse = sparse(count);
        List<LayerShape> layers = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            layers.add(layer(latent ? latent() : perHead(count, windows[i]), sparse[i]));
        }
        return new Parts(
                hidden,
                fields.positive("vocab_size"),
                fields.positive("max_position_embeddings"),
                fields.flag("tie_word_embeddings", false),
                layers);
    }

    /** Attention: what it keeps, its parameters, and the width of a query head as attention sees it. */
    private record Attention(KvShape kv, long parameters, int headDim) {}

    private Attention perHead(int layers, int window) {
        int kvHeads = fields.positive("num_key_value_heads", heads);
        if (heads % kvHeads != 0) {
            throw fields.error(
                    "num_attention_heads", "is " + heads + ", no multiple of num_key_value_heads " + kvHeads);
        }
        HuggingFaceConfig.checkTables(fields, layers, kvHeads);
        int headDim = fields.positive("head_dim", Math.max(1, hidden / heads));
        checkWidth("num_attention_heads", (long) heads * headDim);
        checkWidth("head_dim", headDim);
        boolean all = fields.flag("attention_bias", false);
        AttentionSpec spec = new AttentionSpec(
                heads,
                kvHeads,
                headDim,
                1f,
                window,
                new RopeSpec(1, headDim / 2 * 2),
                type.startsWith("qwen3") ? AttentionSpec.QkNorm.PER_HEAD : AttentionSpec.QkNorm.NONE,
                Float.POSITIVE_INFINITY);
        // One more logit for each head, which attends to nothing.
        long sinks = type.equals(GPT_OSS) ? heads : 0;
        boolean biases = all || type.startsWith("qwen2");
        return new Attention(
                new KvShape.Heads(spec), Parts.sum(Parts.attention(hidden, spec, biases, all), sinks), headDim);
    }

    private Attention latent() {
        int latent = fields.positive("kv_lora_rank");
        int rope = fields.positive("qk_rope_head_dim");
        int plain = fields.positive("qk_nope_head_dim");
        int value = fields.positive("v_head_dim");
        checkWidth("kv_lora_rank", (long) latent + rope);
        checkWidth("num_attention_heads", (long) heads * ((long) plain + rope));
        checkWidth("num_attention_heads", (long) heads * ((long) plain + value));
        boolean bias = fields.flag("attention_bias", false);
        long queryWidth = (long) heads * (plain + rope);
        OptionalInt queryRank = fields.optionalPositive("q_lora_rank");
        long query = queryRank.isEmpty()
                ? Parts.linear(hidden, queryWidth, false)
                : Parts.sum(
                        Parts.linear(hidden, queryRank.getAsInt(), bias),
                        queryRank.getAsInt(),
                        Parts.linear(queryRank.getAsInt(), queryWidth, false));
        long keysAndValues = Parts.sum(
                Parts.linear(hidden, latent + rope, bias),
                latent,
                Parts.linear(latent, (long) heads * (plain + value), false));
        return new Attention(
                new KvShape.Latent(latent, rope),
                Parts.sum(query, keysAndValues, Parts.linear((long) heads * value, hidden, bias)),
                latent + rope);
    }

    private void checkWidth(String field, long width) {
        boolean head = field.equals("head_dim") || field.equals("kv_lora_rank");
        if (width > (head ? MAX_WIDTH : Integer.MAX_VALUE)) {
            throw fields.error(field, "is absurd: it makes a width of " + width);
        }
    }

    private int[] windows(int count) {
        if (type.equals(GPT_OSS)) {
            return WindowFields.read(fields, Windows.EVEN_LAYERS, GPT_OSS_WINDOW, count);
        }
        // Qwen's own field, in whatever file: there a window counts only where it is switched on.
        boolean qwen = type.startsWith("qwen") || fields.has("max_window_layers");
        return qwen
                ? WindowFields.read(fields, Windows.LATER_LAYERS_IF_USED, QWEN_WINDOW, count)
                : WindowFields.read(fields, Windows.ALL_BUT_EACH_LAST, OptionalInt.empty(), count);
    }

    private int experts() {
        for (String name : List.of("n_routed_experts", "num_experts", "num_local_experts")) {
            if (fields.has(name)) {
                int experts = fields.atLeast(name, 0).orElse(0);
                if (experts > HuggingFaceConfig.MAX_EXPERTS) {
                    throw fields.error(name, "is " + experts + ", expected 0 to " + HuggingFaceConfig.MAX_EXPERTS);
                }
                return experts;
            }
        }
        return 0;
    }

    private boolean[] sparse(int count) {
        boolean[] sparse = new boolean[count];
        int dense = fields.atLeast("first_k_dense_replace", 0).orElse(0);
        IntPredicate frequent = frequent(count);
        int step = fields.positive("decoder_sparse_step", 1);
        Set<Integer> listed = new HashSet<>(fields.indices("mlp_only_layers"));
        boolean any = experts() > 0;
        for (int i = 0; i < count; i++) {
            sparse[i] = any && i >= dense && frequent.test(i) && (i + 1) % step == 0 && !listed.contains(i);
        }
        return sparse;
    }

    /** What {@code moe_layer_freq} says of layers: a number, each so many have experts; a list, 1 for those that have. */
    private IntPredicate frequent(int count) {
        String field = "moe_layer_freq";
        if (!fields.isList(field)) {
            int frequency = fields.positive(field, 1);
            return layer -> layer % frequency == 0;
        }
        List<Integer> each = fields.indices(field);
        if (each.size() != count) {
            throw fields.error(field, "has " + each.size() + " entries for " + count + " layers");
        }
        if (each.stream().anyMatch(one -> one > 1)) {
            throw fields.error(field, "holds " + Collections.max(each) + ", expected 0 or 1 for each layer");
        }
        return layer -> each.get(layer) == 1;
    }

    private LayerShape layer(Attention attention, boolean sparse) {
        long always = Parts.sum(attention.parameters(), Parts.norms(hidden));
        boolean biases = fields.flag("mlp_bias", false);
        if (!sparse) {
            int width = fields.positive("intermediate_size");
            return new LayerShape(
                    attention.kv(),
                    heads,
                    attention.headDim(),
                    Parts.sum(always, Parts.block(hidden, width, biases)),
                    0,
                    0,
                    0,
                    width);
        }
        int experts = experts();
        int width = fields.has("moe_intermediate_size")
                ? fields.positive("moe_intermediate_size")
                : fields.positive("intermediate_size");
        int perToken = fields.positive(
                fields.has("num_experts_per_tok") || !fields.has("experts_per_token")
                        ? "num_experts_per_tok"
                        : "experts_per_token");
        if (perToken > experts) {
            throw fields.error(
                    "num_experts_per_tok", "is " + perToken + ", but there are only " + experts + " experts");
        }
        boolean expertBiases = biases || type.equals(GPT_OSS);
        // A bias that keeps the experts' load even, for the choice alone (DeepSeek-V3, arXiv 2412.19437, §2.1.2).
        long balance = fields.string("topk_method").orElse("").equals("noaux_tc") ? experts : 0;
        long router = Parts.sum(Parts.linear(hidden, experts, expertBiases), balance);
        int sharedWidth =
                Math.multiplyExact(fields.atLeast("n_shared_experts", 0).orElse(0), width);
        long shared = sharedWidth == 0 ? 0 : Parts.block(hidden, sharedWidth, biases);
        int gatedWidth = fields.atLeast("shared_expert_intermediate_size", 0).orElse(0);
        long gated = gatedWidth == 0 ? 0 : Parts.gated(hidden, gatedWidth, biases);
        return new LayerShape(
                attention.kv(),
                heads,
                attention.headDim(),
                Parts.sum(always, router, shared, gated),
                experts,
                perToken,
                Parts.block(hidden, width, expertBiases),
                Math.max(width, Math.max(sharedWidth, gatedWidth)));
    }
}
