package org.pikv4j.cache.scheduling.policies;

import org.pikv4j.cache.scheduling.EvictionPolicy;
import org.pikv4j.cache.scheduling.HeadTokens;
import org.pikv4j.cache.scheduling.ObservedAttention;
import org.pikv4j.cache.storage.TokenColumns;

/**
 * Heavy hitters: the tokens that received the most attention so far, and a window of the newest (Zhang et al., "H2O: Heavy-Hitter
 * Oracle for Efficient Generative Inference of Large Language Models", arXiv 2306.14048, §4). Attention is summed over all queries
 * since the token came, as the mean over the query heads that share a KV head.
 *
 * <p>Sums favour what is old: a token that mattered long ago keeps its place against one that begins to matter.
 */
public final class H2o implements EvictionPolicy {

    @Override
    public String name() {
        return "h2o";
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
        Columns.add(seen.sums(), columns.column(0));
    }

    @Override
    public void score(HeadTokens tokens, float[] scores) {
        System.arraycopy(tokens.columns().column(0), 0, scores, 0, tokens.size());
    }
}
