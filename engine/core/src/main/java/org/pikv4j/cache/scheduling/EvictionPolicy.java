package org.pikv4j.cache.scheduling;

import org.pikv4j.cache.storage.TokenColumns;
import org.pikv4j.extension.Extension;

/**
 * Scores tokens; those with the lowest scores are forgotten when a budget is reached. A policy is without state: what it
 * remembers of tokens stands in {@linkplain TokenColumns columns} that move with them, so that one object serves all sequences.
 * Called by the engine's thread alone.
 *
 * <p>Whatever a policy thinks of them, a sequence's first tokens and its newest ones stay ({@link Protection}).
 */
public interface EvictionPolicy extends Extension {

    /**
     * @param options what was written behind the policy's name
     * @return the policy with these options
     * @throws org.pikv4j.error.InvalidOptionException if one of them has a value that is not possible
     */
    default EvictionPolicy with(PolicyOptions options) {
        return this;
    }

    /**
     * @return how many numbers are kept for each token
     */
    default int columns() {
        return 0;
    }

    /**
     * @return of how many queries before an eviction the attention is wanted; 0 for none, {@link Integer#MAX_VALUE} for all
     */
    default int observedQueries() {
        return 0;
    }

    /**
     * Takes notice of the attention of some of the queries asked for.
     *
     * @param columns the numbers kept for the tokens attended to
     * @param seen the attention, by token in the same order
     */
    default void observe(TokenColumns columns, ObservedAttention seen) {}

    /**
     * @param tokens the tokens of one layer and KV head that may be evicted, and some that may not
     * @param scores receives a score for each of them; the lowest go, the older first among equals
     */
    void score(HeadTokens tokens, float[] scores);

    /**
     * An eviction is done: what counts from one to the next begins anew.
     *
     * @param columns the numbers kept for the tokens that are left
     */
    default void evicted(TokenColumns columns) {}

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
