package org.pikv4j.cache.scheduling.policies;

import java.util.Arrays;
import org.pikv4j.cache.scheduling.HeadTokens;

/** What several policies do with their columns. */
final class Columns {

    private Columns() {}

    static void add(float[] from, float[] into) {
        for (int i = 0; i < from.length; i++) {
            into[i] += from[i];
        }
    }

    /** Hands out a column that is summed up anew for each eviction. */
    static float[] taken(HeadTokens tokens, int column) {
        float[] values = tokens.columns().column(column);
        float[] copy = Arrays.copyOf(values, tokens.size());
        Arrays.fill(values, 0f);
        return copy;
    }
}
