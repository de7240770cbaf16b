package org.pikv4j.bench.routing;

import java.util.List;
import org.pikv4j.bench.Interval;
import org.pikv4j.bench.Machine;

/**
 * What routers find of the cache.
 *
 * @param machine where
 * @param model its name
 * @param backend what computed
 * @param kvDtype how the cache is kept
 * @param pageTokens tokens per page
 * @param shards places beside the engine's own; 0 for none
 * @param placement which page is at which of them
 * @param bandwidth bytes that the machine reads in a second
 * @param files what was asked
 */
record RoutingReport(
        Machine machine,
        String model,
        String backend,
        String kvDtype,
        int pageTokens,
        int shards,
        String placement,
        double bandwidth,
        List<File> files) {

    /**
     * @param name of the file
     * @param documents how many
     * @param questions asked of them
     * @param rows by what belongs where, k, and router
     */
    record File(String name, int documents, int questions, List<Row> rows) {}

    /**
     * A query is one row of one layer and KV head.
     *
     * @param router as {@code --route} spells it, without k
     * @param by what makes pages belong to a shard: {@code expert} or {@code page}
     * @param k shards read
     * @param shards shards that there are
     * @param mass mean share of the exact attention on what was read
     * @param massInterval by documents
     * @param hitRate share of the queries whose top token was read
     * @param questions that were asked
     * @param right right answers
     * @param rightInterval of their share
     * @param divergence mean KL of the next token from the exact distribution, in nats
     * @param read mean share of the tokens that was read
     * @param bytes of keys and values that a query reads, mean
     * @param bytesShare the same over what there is
     * @param randomAtBytes attention mass of {@code hash} where it reads as many bytes, between its k
     * @param ofClairvoyant mass over that of the clairvoyant at the same k
     * @param imbalance reads of the shard read most over the mean, mean over layers
     * @param variation coefficient of variation of the reads, mean over layers
     * @param leastUse reads of the shard read least over the mean, mean over layers
     * @param imbalances the first, document by document
     * @param local share of queries that read nothing beyond the engine's own place
     * @param remote share that read some of the shards' places
     * @param broadcast share that read all of them
     * @param decisionSeconds time of a choice
     * @param flopsPerByte of attention and choice, over what both read
     * @param attainableFlops what the machine's bandwidth allows of that in a second
     */
    record Row(
            String router,
            String by,
            int k,
            int shards,
            double mass,
            Interval massInterval,
            double hitRate,
            int questions,
            int right,
            Interval rightInterval,
            double divergence,
            double read,
            double bytes,
            double bytesShare,
            double randomAtBytes,
            double ofClairvoyant,
            double imbalance,
            double variation,
            double leastUse,
            List<Double> imbalances,
            double local,
            double remote,
            double broadcast,
            double decisionSeconds,
            double flopsPerByte,
            double attainableFlops) {

        Row beside(double random, double clairvoyant) {
            return new Row(
                    router,
                    by,
                    k,
                    shards,
                    mass,
                    massInterval,
                    hitRate,
                    questions,
                    right,
                    rightInterval,
                    divergence,
                    read,
                    bytes,
                    bytesShare,
                    random,
                    mass / clairvoyant,
                    imbalance,
                    variation,
                    leastUse,
                    imbalances,
                    local,
                    remote,
                    broadcast,
                    decisionSeconds,
                    flopsPerByte,
                    attainableFlops);
        }
    }
}
