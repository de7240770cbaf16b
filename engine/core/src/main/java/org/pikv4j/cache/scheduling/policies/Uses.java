package org.pikv4j.cache.scheduling.policies;

import org.pikv4j.cache.scheduling.ObservedAttention;
import org.pikv4j.cache.storage.TokenColumns;

/**
 * What it means that a token is used: queries pay it more attention than if they paid the same to all. A cache of anything else
 * has hits; attention looks at everything, and only how much says what is a hit.
 */
final class Uses {
    static final int LAST = 0;
    static final int COUNT = 1;

    private Uses() {}

    /** Notes the position of the last use, and the number of uses if there is a column for it. */
    static void note(TokenColumns columns, ObservedAttention seen, boolean counted) {
        float[] sums = seen.received();
        float even = (float) seen.rows() / sums.length;
        float[] last = columns.column(LAST);
        for (int i = 0; i < sums.length; i++) {
            if (sums[i] > even) {
                last[i] = seen.position() + seen.rows() - 1;
                if (counted) {
                    columns.column(COUNT)[i]++;
                }
            }
        }
    }
}
