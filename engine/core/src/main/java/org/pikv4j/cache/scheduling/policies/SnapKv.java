package org.pikv4j.cache.scheduling.policies;

import java.util.Arrays;
import org.pikv4j.cache.scheduling.EvictionPolicy;
import org.pikv4j.cache.scheduling.HeadTokens;
import org.pikv4j.cache.scheduling.PolicyOptions;
import org.pikv4j.cache.storage.TokenColumns;
import org.pikv4j.error.InvalidOptionException;

/**
 * What the last queries attend to (Li et al., "SnapKV: LLM Knows What You are Looking for Before Generation", arXiv 2404.14469,
 * §4): the attention of an observation window at the end of the prompt, pooled over neighbours so that what stands around an
 * important token stays with it. Where a budget is held while a prompt is read, or while tokens are generated, the window is
 * that before each eviction.
 *
 * <p>Options: {@code queries} of the window (64), {@code kernel}, the width of the pooling (5, odd).
 */
public final class SnapKv extends ReceivedAttention {
    static final int QUERIES = 64;
    static final int KERNEL = 5;
    private static final int MOST_KERNEL = 255;

    private final int queries;
    private final int kernel;

    SnapKv(int queries, int kernel) {
        this.queries = queries;
        this.kernel = kernel;
    }

    @Override
    public String name() {
        return "snapkv";
    }

    @Override
    public EvictionPolicy with(PolicyOptions options) {
        int width = options.number("kernel", kernel, 1);
        if (width % 2 == 0 || width > MOST_KERNEL) {
            throw new InvalidOptionException("kv-policy snapkv: kernel must be an odd number up to " + MOST_KERNEL);
        }
        return new SnapKv(options.number("queries", queries, 1), width);
    }

    @Override
    public int observedQueries() {
        return queries;
    }

    @Override
    public void evicted(TokenColumns columns) {
        Arrays.fill(columns.column(0), 0f);
    }

    @Override
    public void score(HeadTokens tokens, float[] scores) {
        float[] attention = tokens.columns().column(0);
        int reach = kernel / 2;
        for (int i = 0; i < tokens.size(); i++) {
            float sum = 0f;
            for (int j = Math.max(0, i - reach); j < Math.min(tokens.size(), i + reach + 1); j++) {
                sum += attention[j];
            }
            scores[i] = sum / kernel; // as if zeros stood beyond the ends
        }
    }
}
