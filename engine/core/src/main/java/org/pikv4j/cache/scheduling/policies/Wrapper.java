package org.pikv4j.cache.scheduling.policies;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.pikv4j.cache.scheduling.BudgetShare;
import org.pikv4j.cache.scheduling.EvictionPolicy;
import org.pikv4j.cache.scheduling.HeadScores;
import org.pikv4j.cache.scheduling.HeadTokens;
import org.pikv4j.cache.scheduling.ObservedAttention;
import org.pikv4j.cache.scheduling.Replay;
import org.pikv4j.cache.scheduling.Signal;
import org.pikv4j.cache.storage.TokenColumns;
import org.pikv4j.model.AttentionSpec;

/** A policy that lets another one watch and score. */
abstract class Wrapper implements EvictionPolicy {
    final EvictionPolicy inner;

    Wrapper(EvictionPolicy inner) {
        this.inner = inner;
    }

    /**
     * @param other what is wrapped instead
     * @return the same, around it
     */
    abstract EvictionPolicy around(EvictionPolicy other);

    @Override
    public void check(List<AttentionSpec> layers) {
        inner.check(layers);
    }

    @Override
    public Optional<EvictionPolicy> fitted() {
        return inner.fitted();
    }

    @Override
    public EvictionPolicy calibrated(HeadScores heads) {
        return around(inner.calibrated(heads));
    }

    @Override
    public boolean closesGap() {
        return inner.closesGap();
    }

    @Override
    public int[] quotas(BudgetShare share) {
        return inner.quotas(share);
    }

    @Override
    public int columns() {
        return inner.columns();
    }

    @Override
    public int headNumbers(AttentionSpec spec) {
        return inner.headNumbers(spec);
    }

    @Override
    public Set<Signal> signals() {
        return inner.signals();
    }

    @Override
    public Optional<Replay> replay() {
        return inner.replay();
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
    public void routed(TokenColumns columns, int[] experts) {
        inner.routed(columns, experts);
    }

    @Override
    public void truncated(TokenColumns columns, int length) {
        inner.truncated(columns, length);
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
