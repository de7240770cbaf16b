package org.pikv4j.cache.scheduling.policies;

import java.util.Arrays;
import org.pikv4j.cache.storage.TokenColumns;

/** What several policies do with their columns. */
final class Columns {

    private Columns() {}

    static void add(float[] from, float[] into) {
        for (int i = 0; i < from.length; i++) {
            into[i] += Float.isFinite(from[i]) ? from[i] : 0f; // one bad row must not spoil a sum for ever
        }
    }

    /** Begins a sum anew. */
    static void clear(TokenColumns columns, int column) {
        Arrays.fill(columns.column(column), 0f);
    }
}
