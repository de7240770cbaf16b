package org.pikv4j.cache.scheduling.policies;

import org.pikv4j.cache.scheduling.ObservedAttention;

/**
 * What it means that a token is used: queries pay it more attention than if they paid the same to all. A cache of anything else
 * has hits; attention looks at everything, and only how much says what is a hit.
 */
final class Uses {
    private Uses() {}

    /** Notes the position of each token's last use. */
    static void note(float[] last, ObservedAttention seen) {
        float[] sums = seen.received();
        float even = even(seen);
        for (int i = 0; i < sums.length; i++) {
            last[i] = sums[i] > even ? seen.position() + seen.rows() - 1 : last[i];
        }
    }

    /** Counts the uses of each token. */
    static void count(float[] uses, ObservedAttention seen) {
        float[] sums = seen.received();
        float even = even(seen);
        for (int i = 0; i < sums.length; i++) {
            uses[i] += sums[i] > even ? 1f : 0f;
        }
    }

    /** No use can lie behind the end of a sequence. */
    static void truncate(float[] last, int length) {
        for (int i = 0; i < last.length; i++) {
            last[i] = Math.min(last[i], Math.max(0, length - 1));
        }
    }

    /** What the queries would pay to each token of the table up to the last of them; it may hold later ones of their batch. */
    private static float even(ObservedAttention seen) {
        int later = seen.table().length() - (seen.position() + seen.rows());
        return (float) seen.rows() / (seen.received().length - later);
    }
}
