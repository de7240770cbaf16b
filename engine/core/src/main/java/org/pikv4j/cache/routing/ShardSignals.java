package org.pikv4j.cache.routing;

import java.util.function.IntToDoubleFunction;

/**
 * What routers may know when a query chooses among the expert shards of one layer and KV head. The sinks, the newest tokens, and pages
 * that are not full, which every query reads anyway, are not among what shards hold.
 */
public final class ShardSignals {
    private final int layer;
    private final int kvHead;
    private final int position;
    private final double[] gate;
    private final int[] tokens;
    private final double[] error;
    private final double[] load;
    private final double[] mass;
    private final double[] miss;
    private final Contents contents;
    private double[] similarity = {};

    /** What shards hold, for those who look. */
    interface Contents {

        /** How near each shard is to the query. */
        double[] similarities();

        /** The sum over the tokens of each shard. */
        double[] sums(IntToDoubleFunction ofPosition);
    }

    /**
     * @param layer index of the layer
     * @param kvHead index of the KV head
     * @param position position of the query
     * @param gate what the layer's gate says, by shard
     * @param tokens what each shard holds
     * @param error what the forms of its pages lost
     * @param load how much it is read
     * @param mass how much attention it draws
     * @param miss how much it would draw that is gone
     * @param contents what they hold
     */
    ShardSignals(
            int layer,
            int kvHead,
            int position,
            double[] gate,
            int[] tokens,
            double[] error,
            double[] load,
            double[] mass,
            double[] miss,
            Contents contents) {
        this.layer = layer;
        this.kvHead = kvHead;
        this.position = position;
        this.gate = gate;
        this.tokens = tokens;
        this.error = error;
        this.load = load;
        this.mass = mass;
        this.miss = miss;
        this.contents = contents;
    }

    /**
     * @return number of expert shards
     */
    public int shards() {
        return gate.length;
    }

    /**
     * @return index of the layer
     */
    public int layer() {
        return layer;
    }

    /**
     * @return index of the KV head
     */
    public int kvHead() {
        return kvHead;
    }

    /**
     * @return position of the query
     */
    public int position() {
        return position;
    }

    /**
     * @param shard a shard
     * @return the probability that the layer's own gate gives its experts, applied to the hidden state before attention; where pages
     *     belong to shards by hash, these are experts that have nothing to do with its pages
     */
    public double gate(int shard) {
        return gate[shard];
    }

    /**
     * @param shard a shard
     * @return tokens that it holds
     */
    public int tokens(int shard) {
        return tokens[shard];
    }

    /**
     * @param shard a shard
     * @return whether it holds anything
     */
    public boolean holds(int shard) {
        return tokens[shard] > 0;
    }

    /**
     * @param shard a shard
     * @return the mean over its tokens of what their pages' forms lost ({@link
     *     org.pikv4j.cache.storage.PageSummary#error})
     */
    public double error(int shard) {
        return error[shard];
    }

    /**
     * @param shard a shard
     * @return the share of this head's queries that read it, a running mean
     */
    public double load(int shard) {
        return load[shard];
    }

    /**
     * @return the mean of the loads
     */
    public double meanLoad() {
        double sum = 0;
        for (double of : load) {
            sum += of;
        }
        return sum / load.length;
    }

    /**
     * @param shard a shard
     * @return the share of the attention that it draws, a running mean; as it was when it was last read
     */
    public double mass(int shard) {
        return mass[shard];
    }

    /**
     * @param shard a shard
     * @return the share of the attention that tokens would draw that were evicted from it, a running mean, were they all there and
     *     like those that are left: no more than that, since what is gone cannot be asked, and what a policy evicts draws less
     */
    public double miss(int shard) {
        return miss[shard];
    }

    /**
     * @param shard a shard
     * @return how near its pages are to the query: the softmax over shards of the largest q·centroid of a page, the mean over the
     *     heads of the group; 0 for a shard that holds nothing
     */
    public double similarity(int shard) {
        if (similarity.length == 0) {
            similarity = contents.similarities();
        }
        return similarity[shard];
    }

    /**
     * @param ofPosition a number for each token, by its position
     * @return their sum over the tokens that each shard holds: for oracles, since it looks at all of them
     */
    public double[] sums(IntToDoubleFunction ofPosition) {
        return contents.sums(ofPosition);
    }
}
