package org.pikv4j.cache.scheduling.policies;

/**
 * Heavy hitters: the tokens that received the most attention so far, and a window of the newest (Zhang et al., "H2O: Heavy-Hitter
 * Oracle for Efficient Generative Inference of Large Language Models", arXiv 2306.14048, §4). Attention is summed over all queries
 * since the token came, as the mean over the query heads that share a KV head.
 *
 * <p>Sums favour what is old: a token that mattered long ago keeps its place against one that begins to matter.
 */
public final class H2o extends ReceivedAttention {

    @Override
    public String name() {
        return "h2o";
    }

    @Override
    public int observedQueries() {
        return Integer.MAX_VALUE;
    }
}
