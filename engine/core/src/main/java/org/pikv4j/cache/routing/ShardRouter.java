package org.pikv4j.cache.routing;

import java.util.Set;
import org.pikv4j.extension.Extension;
import org.pikv4j.extension.OptionValues;

/**
 * Scores whole expert shards, and a query reads the pages of the best, where a {@link PageRouter} picks single pages or blocks of tokens
 * among all (PiKV, arXiv 2508.06526, §3.2, Table 1). All routers see the same {@linkplain ShardSignals
 * signals}; attention weights always come from the true softmax over what is read. A router is without state: what it remembers stands in
 * numbers that each sequence keeps for each layer and KV head, so that what one sequence reads never depends on another, nor on how its rows were
 * batched.
 */
public interface ShardRouter extends Extension {

    /** What costs something to know, so that a router has to ask for it. */
    enum Need {
        /** What the layer's gate says before attention: {@link ShardSignals#gate} is 0 otherwise. */
        GATE,
        /** How much attention each shard draws: {@link ShardSignals#mass} and {@link ShardSignals#miss} are 0 otherwise. */
        ATTENTION,
        /** The means of pages' keys, for {@link ShardSignals#similarity}. */
        CENTROIDS
    }

    /**
     * @param options what was written behind the router's name
     * @return the router with these options
     * @throws org.pikv4j.error.InvalidOptionException if one of them has a value that is not possible
     */
    default ShardRouter with(OptionValues options) {
        return this;
    }

    /**
     * @return what it asks for
     */
    default Set<Need> needs() {
        return Set.of();
    }

    /**
     * @return whether it reads all shards, so that k says nothing
     */
    default boolean choosesAll() {
        return false;
    }

    /**
     * @param shards number of expert shards of a layer
     * @throws org.pikv4j.error.InvalidOptionException if its options make no sense for so many
     */
    default void check(int shards) {}

    /**
     * @param shards number of expert shards
     * @return how many numbers are kept for it, 0 at first, in each layer and KV head
     */
    default int numbers(int shards) {
        return 0;
    }

    /**
     * @param signals what is known of the query and the shards
     * @param kept its numbers
     * @param scores receives a score for each shard
     */
    void score(ShardSignals signals, double[] kept, double[] scores);

    /**
     * @param signals what is known of the query and the shards
     * @param kept its numbers
     * @param k how many shards are read
     * @return their indices, ascending; at most k, none of them empty
     */
    default int[] choose(ShardSignals signals, double[] kept, int k) {
        double[] scores = new double[signals.shards()];
        score(signals, kept, scores);
        return TopShards.of(scores, signals::holds, k);
    }

    /**
     * A query has been sent to shards.
     *
     * @param signals what was known then
     * @param kept its numbers
     * @param chosen the shards
     */
    default void sent(ShardSignals signals, double[] kept, int[] chosen) {}

    /**
     * Queries have found out how much attention the shards that they read draw; if it asked for {@link Need#ATTENTION}. Those that
     * read all, as a prompt's do, find it out of all.
     *
     * @param signals what was known before, of the last of them
     * @param kept its numbers
     * @param read the shards
     * @param mass the share of the attention that each of them drew, the mean over the queries, by shard
     */
    default void learn(ShardSignals signals, double[] kept, int[] read, double[] mass) {}
}
