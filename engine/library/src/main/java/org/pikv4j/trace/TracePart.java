package org.pikv4j.trace;

import java.util.List;
import java.util.Locale;
import org.pikv4j.model.AttentionSpec;

/** What is recorded of a layer, a row per token. */
enum TracePart {
    QUERIES,
    KEYS,
    VALUES,
    GATES;

    /** The tensor that holds it. */
    String tensor(int layer) {
        return "layers." + layer + "." + name().toLowerCase(Locale.ROOT);
    }

    /** The shape of a row; empty for the gates of a layer without experts. */
    List<Long> row(AttentionSpec spec, int experts) {
        return switch (this) {
            case QUERIES -> List.of((long) spec.heads(), (long) spec.headDim());
            case KEYS, VALUES -> List.of((long) spec.kvHeads(), (long) spec.headDim());
            case GATES -> experts == 0 ? List.of() : List.of((long) experts);
        };
    }

    /** Numbers in a row; 0 for the gates of a layer without experts. */
    int width(AttentionSpec spec, int experts) {
        return switch (this) {
            case QUERIES -> spec.queryWidth();
            case KEYS, VALUES -> spec.kvWidth();
            case GATES -> experts;
        };
    }
}
