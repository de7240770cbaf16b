package org.pikv4j.cache.scheduling.policies;

import org.pikv4j.cache.scheduling.EvictionPolicy;
import org.pikv4j.cache.scheduling.HeadTokens;
import org.pikv4j.cache.scheduling.ObservedAttention;
import org.pikv4j.cache.storage.TokenColumns;

/**
 * Least recently used, of PiKV's Table 3 (arXiv 2508.06526): the token whose last use lies furthest back goes first. A token
 * that was never used counts from its own position. What a use is, {@link Uses} says.
 */
public final class Lru implements EvictionPolicy {
    private static final int LAST = 0;

    @Override
    public String name() {
        return "lru";
    }

    @Override
    public int columns() {
        return 1;
    }

    @Override
    public int observedQueries() {
        return Integer.MAX_VALUE;
    }

    @Override
    public void observe(TokenColumns columns, ObservedAttention seen) {
        Uses.note(columns.column(LAST), seen);
    }

    @Override
    public void truncated(TokenColumns columns, int length) {
        Uses.truncate(columns.column(LAST), length);
    }

    @Override
    public void score(HeadTokens tokens, float[] scores) {
        int[] positions = tokens.positions();
        float[] last = tokens.columns().column(LAST);
        for (int i = 0; i < positions.length; i++) {
            scores[i] = Math.max(last[i], positions[i]);
        }
    }
}
