package org.pikv4j.cache.scheduling.policies;

import org.pikv4j.cache.scheduling.EvictionPolicy;
import org.pikv4j.cache.scheduling.HeadTokens;
import org.pikv4j.cache.scheduling.ObservedAttention;
import org.pikv4j.cache.scheduling.PolicyOptions;
import org.pikv4j.cache.storage.TokenColumns;

/**
 * Least recently used with a bonus for frequent use, of PiKV's Table 3 (arXiv 2508.06526): −age + λ · log(1 + uses), the age in
 * tokens since the last use. What a use is, {@link Uses} says.
 *
 * <p>Option: {@code lambda} (64), the age that makes up for as many uses as e has times more.
 */
public final class LruPlus implements EvictionPolicy {
    static final double LAMBDA = 64;
    private static final int LAST = 0;
    private static final int COUNT = 1;

    private final double lambda;

    LruPlus(double lambda) {
        this.lambda = lambda;
    }

    @Override
    public String name() {
        return "lru+";
    }

    @Override
    public EvictionPolicy with(PolicyOptions options) {
        return new LruPlus(options.real("lambda", lambda, 0, 1e6));
    }

    @Override
    public int columns() {
        return 2;
    }

    @Override
    public int observedQueries() {
        return Integer.MAX_VALUE;
    }

    @Override
    public void observe(TokenColumns columns, ObservedAttention seen) {
        Uses.note(columns.column(LAST), seen);
        Uses.count(columns.column(COUNT), seen);
    }

    @Override
    public void truncated(TokenColumns columns, int length) {
        Uses.truncate(columns.column(LAST), length);
    }

    @Override
    public void score(HeadTokens tokens, float[] scores) {
        int[] positions = tokens.positions();
        float[] last = tokens.columns().column(LAST);
        float[] count = tokens.columns().column(COUNT);
        for (int i = 0; i < positions.length; i++) {
            float age = tokens.length() - 1 - Math.max(last[i], positions[i]);
            scores[i] = (float) (lambda * Math.log1p(count[i]) - age);
        }
    }
}
