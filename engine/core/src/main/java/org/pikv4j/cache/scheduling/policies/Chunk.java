package org.pikv4j.cache.scheduling.policies;

import org.pikv4j.cache.scheduling.EvictionPolicy;
import org.pikv4j.cache.scheduling.HeadTokens;
import org.pikv4j.cache.scheduling.PolicyOptions;

/**
 * Whole chunks of neighbouring tokens stay or go, by the mean of their scores (Liu et al., "ChunkKV: Semantic-Preserving KV Cache
 * Compression for Efficient Long-Context LLM Inference", arXiv 2502.00299, §3): half a phrase says nothing. The paper's scores
 * are SnapKV's, which are wrapped by default. The budget may cut the last chunk that stays.
 *
 * <p>Option: {@code tokens} of a chunk (20).
 */
public final class Chunk extends Wrapper {
    static final int TOKENS = 20;

    private final int chunk;

    Chunk(EvictionPolicy inner, int chunk) {
        super(inner);
        this.chunk = chunk;
    }

    @Override
    public String name() {
        return "chunk";
    }

    @Override
    public EvictionPolicy with(PolicyOptions options) {
        return new Chunk(options.inner(inner), options.number("tokens", chunk, 1));
    }

    @Override
    EvictionPolicy around(EvictionPolicy other) {
        return new Chunk(other, chunk);
    }

    @Override
    public void score(HeadTokens tokens, float[] scores) {
        inner.score(tokens, scores);
        int[] positions = tokens.positions();
        int from = 0;
        while (from < positions.length) {
            int to = from;
            double sum = 0;
            while (to < positions.length && positions[to] / chunk == positions[from] / chunk) {
                sum += scores[to++];
            }
            for (int i = from; i < to; i++) {
                scores[i] = (float) (sum / (to - from));
            }
            from = to;
        }
    }
}
