package org.pikv4j.loader.config;

import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import org.pikv4j.loader.config.Family.Windows;
import org.pikv4j.loader.json.Fields;
import org.pikv4j.loader.json.Lines;
import org.pikv4j.model.AttentionSpec;

/**
 * The sliding window of each layer. {@code sliding_window} is its width; absent, {@code null}, 0, -1 or switched off by
 * {@code use_sliding_window} it means none. {@code layer_types} says which layers have it, else the family's habit.
 */
final class WindowFields {
    private WindowFields() {}

    /**
     * @param fields the configuration
     * @param family its family
     * @param layers number of layers
     * @return for each layer the window in tokens, {@link AttentionSpec#FULL} for none
     */
    static int[] read(Fields fields, Family family, int layers) {
        OptionalInt window = window(fields, family);
        int[] windows = new int[layers];
        Arrays.fill(windows, AttentionSpec.FULL);
        List<String> types = fields.strings("layer_types");
        if (!types.isEmpty() && types.size() != layers) {
            throw fields.error("layer_types", "has " + types.size() + " entries for " + layers + " layers");
        }
        int evenBelow = family.windows() == Windows.EVEN_LAYERS_IF_USED
                ? fields.atLeast("max_window_layers", 0).orElse(28)
                : layers;
        for (int layer = 0; layer < layers; layer++) {
            boolean sliding;
            if (!types.isEmpty()) {
                sliding = isSliding(fields, types.get(layer));
                if (sliding && window.isEmpty()) {
                    throw fields.error("layer_types", "has sliding_attention, but no sliding_window is in force");
                }
            } else {
                sliding = family.windows() != Windows.EVEN_LAYERS_IF_USED || (layer % 2 == 0 && layer < evenBelow);
            }
            if (sliding && window.isPresent()) {
                windows[layer] = window.getAsInt();
            }
        }
        return windows;
    }

    private static boolean isSliding(Fields fields, String type) {
        return switch (type) {
            case "full_attention" -> false;
            case "sliding_attention" -> true;
            default ->
                throw fields.error(
                        "layer_types",
                        "holds " + Lines.quote(type) + "; supported are full_attention and sliding_attention");
        };
    }

    /** The width in force anywhere; empty for none. */
    private static OptionalInt window(Fields fields, Family family) {
        OptionalInt given =
                fields.mentions("sliding_window") ? fields.atLeast("sliding_window", -1) : family.slidingWindow();
        boolean used = switch (family.windows()) {
            case NONE, ALL_LAYERS -> true;
            case ALL_LAYERS_IF_USED, EVEN_LAYERS_IF_USED -> fields.flag("use_sliding_window", false);
        };
        if (!used || given.isEmpty() || given.getAsInt() <= 0) {
            return OptionalInt.empty();
        }
        if (family.windows() == Windows.NONE) {
            throw fields.error(
                    "sliding_window", "is " + given.getAsInt() + ", but " + family.modelType() + " has no such window");
        }
        return given;
    }
}
