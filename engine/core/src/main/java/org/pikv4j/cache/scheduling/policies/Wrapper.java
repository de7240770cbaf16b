package org.pikv4j.cache.scheduling.policies;

import org.pikv4j.cache.scheduling.EvictionPolicy;
import org.pikv4j.cache.scheduling.HeadTokens;
import org.pikv4j.cache.scheduling.ObservedAttention;
import org.pikv4j.cache.storage.TokenColumns;

/** A policy that lets another one watch and score. */
abstract class Wrapper implements EvictionPolicy {
    final EvictionPolicy inner;

    Wrapper(EvictionPolicy inner) {
        this.inner = inner;
    }

    @Override
    public int columns() {
        return inner.columns();
    }

    @Override
    public int observedQueries() {
        return inner.observedQueries();
    }

    @Override
    public void observe(TokenColumns columns, ObservedAttention seen) {
        inner.observe(columns, seen);
    }

    @Override
    public void evicted(TokenColumns columns) {
        inner.evicted(columns);
    }

    @Override
    public void score(HeadTokens tokens, float[] scores) {
        inner.score(tokens, scores);
    }
}
