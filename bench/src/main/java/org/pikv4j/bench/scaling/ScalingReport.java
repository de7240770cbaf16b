package org.pikv4j.bench.scaling;

import java.util.List;
import org.pikv4j.bench.Machine;

/**
 * What decoding a token moves, by number of shards.
 *
 * @param machine where it was measured
 * @param model whose shape
 * @param context tokens in the cache
 * @param pageTokens tokens per page
 * @param kvBytes bytes of the cache
 * @param latencySeconds of the simulated network
 * @param bytesPerSecond of its links
 * @param rows one for each number of shards
 * @param rings what the size of a page costs
 */
record ScalingReport(
        Machine machine,
        String model,
        int context,
        int pageTokens,
        long kvBytes,
        double latencySeconds,
        double bytesPerSecond,
        List<Row> rows,
        RingReport rings) {

    /**
     * Bytes and seconds for each decoded token.
     *
     * @param shards how many
     * @param largestShare the largest shard's share of the bytes, over the mean
     * @param queryBytes measured: queries out, and which pages they read
     * @param answerBytes measured: partials back
     * @param partials closed form of the two, without what names pages: G · Σ heads · (2 · headDim + 2) · 4
     * @param gather bytes if keys and values came to the query instead
     * @param allGather bytes if every shard got what the others hold
     * @param rowBytes measured: a token's keys and values on their way to a shard
     * @param partialSeconds of the measured messages on the simulated network
     * @param gatherSeconds of gathering there
     * @param allGatherSeconds of a ring there
     */
    record Row(
            int shards,
            double largestShare,
            double queryBytes,
            double answerBytes,
            double partials,
            double gather,
            double allGather,
            double rowBytes,
            double partialSeconds,
            double gatherSeconds,
            double allGatherSeconds) {}
}
