package org.pikv4j.cache.scheduling.policies;

import org.pikv4j.cache.scheduling.EvictionPolicy;
import org.pikv4j.cache.scheduling.HeadTokens;
import org.pikv4j.cache.scheduling.ObservedAttention;
import org.pikv4j.cache.storage.TokenColumns;

/** A policy that goes by the attention that tokens received, summed over the queries that it watches. */
abstract class ReceivedAttention implements EvictionPolicy {

    @Override
    public final int columns() {
        return 1;
    }

    @Override
    public final void observe(TokenColumns columns, ObservedAttention seen) {
        float[] sums = columns.column(0);
        for (int i = 0; i < seen.received().length; i++) {
            sums[i] += Attention.orNothing(seen.received()[i]);
        }
    }

    @Override
    public void score(HeadTokens tokens, float[] scores) {
        System.arraycopy(tokens.columns().column(0), 0, scores, 0, tokens.size());
    }
}
