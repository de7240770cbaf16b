package org.pikv4j.cache.scheduling.policies;

import org.pikv4j.cache.scheduling.EvictionPolicy;
import org.pikv4j.cache.scheduling.HeadTokens;
import org.pikv4j.cache.scheduling.ObservedAttention;
import org.pikv4j.cache.storage.TokenColumns;

/**
 * The tokens that the last query attends to most (Oren et al., "Transformers are Multi-State RNNs", arXiv 2401.06104, §4). Here
 * each KV head decides for itself, by the mean over its query heads, where the paper takes the mean over all heads of a layer.
 */
public final class Tova implements EvictionPolicy {

    @Override
    public String name() {
        return "tova";
    }

    @Override
    public int columns() {
        return 1;
    }

    @Override
    public int observedQueries() {
        return 1;
    }

    @Override
    public void observe(TokenColumns columns, ObservedAttention seen) {
        Columns.add(seen.sums(), columns.column(0));
    }

    @Override
    public void evicted(TokenColumns columns) {
        Columns.clear(columns, 0);
    }

    @Override
    public void score(HeadTokens tokens, float[] scores) {
        System.arraycopy(tokens.columns().column(0), 0, scores, 0, tokens.size());
    }
}
