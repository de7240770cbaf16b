package org.pikv4j.loader.config;

import java.util.List;
import java.util.Set;
import org.pikv4j.loader.json.Fields;

/**
 * The fields by which hybrids say which of their layers attend, and what the others are: state spaces (Jamba, arXiv 2403.19887),
 * linear attention (Qwen3-Next), convolutions (LFM2). Those keep a state of one size however long the sequence, and have weights
 * of other shapes: counted as attention they would make a plan several times too large, so that such a file is refused.
 */
final class RecurrentFields {
    private static final Set<String> NAMES = Set.of(
            "attn_layer_indices",
            "attn_layer_offset",
            "attn_layer_period",
            "block_types",
            "conv_L_cache",
            "full_attention_interval",
            "full_attn_idxs",
            "hybrid_layer_ids",
            "hybrid_override_pattern",
            "layers_block_type",
            "ssm_cfg");

    private static final List<String> PREFIXES =
            List.of("linear_attn_", "linear_conv_", "linear_key_", "linear_num_", "linear_value_", "mamba_");

    /** For each layer whether it is attention, 1, or its linear kind, 0 (MiniMax); one model's file has nothing but ones. */
    private static final String KINDS = "attn_type_list";

    private RecurrentFields() {}

    /**
     * @param fields the configuration
     * @throws org.pikv4j.error.ModelFormatException naming the first field that speaks of layers without keys and values
     */
    static void refuse(Fields fields) {
        for (String name : fields.names()) {
            boolean says = NAMES.contains(name) || PREFIXES.stream().anyMatch(name::startsWith);
            boolean kinds = name.equals(KINDS) && fields.indices(KINDS).stream().anyMatch(kind -> kind != 1);
            if (fields.has(name) && (says || kinds)) {
                throw fields.error(
                        name, "says that not all layers are attention; what the others take cannot be planned");
            }
        }
    }
}
