package org.pikv4j.cache.scheduling;

import java.util.Optional;
import java.util.Set;
import org.pikv4j.cache.storage.TokenColumns;
import org.pikv4j.model.AttentionSpec;

/**
 * Scores tokens; those with the lowest scores are forgotten when a budget is reached. A policy is without state: what it
 * remembers stands in {@linkplain TokenColumns columns} that move with the tokens, so that one object serves all sequences.
 * Called by the engine's thread alone.
 *
 * <p>Whatever a policy thinks of them, a sequence's first tokens and its newest ones stay ({@link Protection}).
 */
public interface EvictionPolicy extends CachePolicy {

    @Override
    default EvictionPolicy with(PolicyOptions options) {
        return this;
    }

    /**
     * @return the policy that needs to know what a calibration says of the model's heads: this one, or one that it wraps
     */
    default Optional<EvictionPolicy> fitted() {
        return Optional.empty();
    }

    /**
     * @param heads what a calibration says of the model's heads
     * @return the policy for this model
     * @throws org.pikv4j.error.InvalidOptionException if it needs to know and does not hear it
     */
    default EvictionPolicy calibrated(HeadScores heads) {
        return this;
    }

    /**
     * @return how many numbers are kept for each token
     */
    default int columns() {
        return 0;
    }

    /**
     * @param spec the attention of a layer
     * @return how many numbers are kept for each KV head of it
     */
    default int headNumbers(AttentionSpec spec) {
        return 0;
    }

    /**
     * @return what it wants to know of the queries that it watches
     */
    default Set<Signal> signals() {
        return Set.of(Signal.ATTENTION);
    }

    /**
     * @return how many queries before an eviction are watched; 0 for none, {@link Integer#MAX_VALUE} for all
     */
    default int observedQueries() {
        return 0;
    }

    /**
     * @return what the model shall read again before an eviction, to be watched
     */
    default Optional<Replay> replay() {
        return Optional.empty();
    }

    /**
     * Takes notice of some of the queries asked for.
     *
     * @param columns the numbers kept for the tokens attended to
     * @param seen the attention, by token in the same order
     */
    default void observe(TokenColumns columns, ObservedAttention seen) {}

    /**
     * Takes notice of the experts that the newest tokens went to, if it asked for {@link Signal#EXPERTS}.
     *
     * @param columns the numbers kept for all tokens
     * @param experts one for each of the newest tokens
     */
    default void routed(TokenColumns columns, int[] experts) {}

    /**
     * @param tokens the tokens of one layer and KV head that may be evicted, and some that may not
     * @param scores receives a score for each of them; the lowest go, the older first among equals
     */
    void score(HeadTokens tokens, float[] scores);

    /**
     * @return whether the first tokens shall seem to stand right before what an eviction has left, as if nothing were gone
     */
    default boolean closesGap() {
        return false;
    }

    /**
     * An eviction is done: what counts from one to the next begins anew.
     *
     * @param columns the numbers kept for the tokens that are left
     */
    default void evicted(TokenColumns columns) {}

    /**
     * The sequence has become shorter: what is known of queries that are gone is to be forgotten as far as that can be.
     *
     * @param columns the numbers kept for the tokens that are left
     * @param length tokens of the sequence
     */
    default void truncated(TokenColumns columns, int length) {}

    /**
     * Shares a layer's part of the budget out.
     *
     * @param share what there is to share
     * @return tokens for each KV head of the layer; their sum over all layers must not exceed the sum of {@link
     *     BudgetShare#tokens}
     */
    default int[] quotas(BudgetShare share) {
        return share.even();
    }
}
