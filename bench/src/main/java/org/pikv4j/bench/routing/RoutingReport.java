package org.pikv4j.bench.routing;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
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
     * @param rows by k, what belongs where, and router; behind them {@code hash} at the other k that its mass at equal bytes needs
     */
    record File(String name, int documents, int questions, List<Row> rows) {}

    /**
     * A row of the table; its parts are one object in JSON.
     *
     * @param measured what a router did
     * @param beside how that stands to others
     */
    record Row(
            @JsonUnwrapped Measured measured, @JsonUnwrapped Beside beside) {}

    /**
     * A query is one row of one layer and KV head.
     *
     * @param router as {@code --route} spells it, without k
     * @param by what makes pages belong to a shard: {@code expert} or {@code page}
     * @param k shards read
     * @param shards shards that there are
     * @param mass mean share of the exact attention on what was read
     * @param massInterval by documents; empty where there is but one
     * @param hitRate share of the queries whose top token was read
     * @param questions that were asked
     * @param right right answers
     * @param rightInterval of their share
     * @param divergence mean KL of the next token from the exact distribution, in nats
     * @param read mean share of the tokens that was read
     * @param bytes of keys and values that a query reads, mean
     * @param bytesShare the same over what there is
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
    record Measured(
            String router,
            String by,
            int k,
            int shards,
            double mass,
            @JsonInclude(JsonInclude.Include.ALWAYS) Optional<Interval> massInterval,
            double hitRate,
            int questions,
            int right,
            Interval rightInterval,
            double divergence,
            double read,
            double bytes,
            double bytesShare,
            double imbalance,
            double variation,
            double leastUse,
            List<Double> imbalances,
            double local,
            double remote,
            double broadcast,
            double decisionSeconds,
            double flopsPerByte,
            double attainableFlops) {}

    /**
     * What there is no telling of is null in JSON: a number that is missing there would have to be missed by its reader.
     *
     * @param randomAtBytes attention mass of {@code hash} where it reads as many bytes, between its k; empty where it reads more even
     *     at one shard, and for who reads everything
     * @param ofClairvoyant mass over that of the clairvoyant at the same k; empty for who reads everything, whatever k is, and where
     *     the clairvoyant was not asked
     */
    @JsonInclude(JsonInclude.Include.ALWAYS)
    record Beside(OptionalDouble randomAtBytes, OptionalDouble ofClairvoyant) {}
}
