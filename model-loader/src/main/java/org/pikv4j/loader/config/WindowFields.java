package org.pikv4j.loader.config;

import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.IntPredicate;
import org.pikv4j.loader.config.Family.Windows;
import org.pikv4j.loader.json.Fields;
import org.pikv4j.loader.json.Lines;
import org.pikv4j.model.AttentionSpec;

/**
 * The sliding window of each layer. {@code sliding_window} is its width; {@code null}, 0, -1 or switched off by
 * {@code use_sliding_window} it means none. {@code layer_types} says which layers have it, else the habit of the model's type.
 */
final class WindowFields {
    /** {@code max_window_layers} where it is not mentioned. */
    private static final int MAX_WINDOW_LAYERS = 28;

    private WindowFields() {}

    /**
     * @param fields the configuration
     * @param habit which layers have a window where {@code layer_types} does not say it
     * @param unmentioned {@code sliding_window} where it is not mentioned; empty for none
     * @param layers number of layers
     * @return for each layer the window in tokens, {@link AttentionSpec#FULL} for none
     */
    static int[] read(Fields fields, Windows habit, OptionalInt unmentioned, int layers) {
        OptionalInt window = window(fields, habit, unmentioned);
        int[] windows = new int[layers];
        Arrays.fill(windows, AttentionSpec.FULL);
        List<String> types = fields.strings("layer_types");
        if (!types.isEmpty() && types.size() != layers) {
            throw fields.error("layer_types", "has " + types.size() + " entries for " + layers + " layers");
        }
        IntPredicate habitual = types.isEmpty() ? sliding(fields, habit) : _ -> false;
        for (int layer = 0; layer < layers; layer++) {
            boolean sliding = types.isEmpty() ? habitual.test(layer) : isSliding(fields, types.get(layer));
            if (sliding && window.isEmpty() && !types.isEmpty()) {
                throw fields.error("layer_types", "has sliding_attention, but no sliding_window is in force");
            }
            if (sliding && window.isPresent()) {
                windows[layer] = window.getAsInt();
            }
        }
        return windows;
    }

    /** Which layers have a window if there is one. */
    private static IntPredicate sliding(Fields fields, Windows habit) {
        return switch (habit) {
            case NONE, ALL_LAYERS, ALL_LAYERS_IF_USED -> _ -> true;
            case EVEN_LAYERS -> layer -> layer % 2 == 0;
            case EVEN_LAYERS_IF_USED -> {
                int below = maxWindowLayers(fields);
                yield layer -> layer % 2 == 0 && layer < below;
            }
            case LATER_LAYERS_IF_USED -> {
                int from = maxWindowLayers(fields);
                yield layer -> layer >= from;
            }
            case ALL_BUT_EACH_LAST -> {
                int pattern = fields.positive("sliding_window_pattern", Integer.MAX_VALUE);
                yield layer -> (layer + 1) % pattern != 0;
            }
        };
    }

    private static int maxWindowLayers(Fields fields) {
        return fields.atLeast("max_window_layers", 0).orElse(MAX_WINDOW_LAYERS);
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
    private static OptionalInt window(Fields fields, Windows habit, OptionalInt unmentioned) {
        OptionalInt given = fields.mentions("sliding_window") ? fields.atLeast("sliding_window", -1) : unmentioned;
        boolean used = switch (habit) {
            case NONE, ALL_LAYERS, EVEN_LAYERS -> true;
            case ALL_LAYERS_IF_USED, EVEN_LAYERS_IF_USED, LATER_LAYERS_IF_USED ->
                fields.flag("use_sliding_window", false);
            case ALL_BUT_EACH_LAST -> fields.flag("use_sliding_window", true);
        };
        if (!used || given.isEmpty() || given.getAsInt() <= 0) {
            return OptionalInt.empty();
        }
        if (habit == Windows.NONE) {
            String type = fields.string("model_type").map(Lines::quote).orElse("this type");
            throw fields.error("sliding_window", "is " + given.getAsInt() + ", but " + type + " has no such window");
        }
        return given;
    }
}
