package org.pikv4j.cache.routing;

import java.util.List;

/**
 * What routed queries read, all sessions together. A query is one row of one layer and KV head.
 *
 * @param queries how many there were
 * @param pagesRead pages that they read
 * @param pages pages that there were
 * @param tokensRead tokens that they read
 * @param tokens tokens that there were
 * @param bytesRead keys and values of those read
 * @param bytes keys and values of all
 * @param seconds time that the choices took
 * @param reads how often each expert shard was chosen: (layer, shard), nothing for layers without a gate
 * @param places how many queries read pages on no shard but the engine's own place, on one, on two, …
 */
public record RoutingUsage(
        long queries,
        long pagesRead,
        long pages,
        long tokensRead,
        long tokens,
        long bytesRead,
        long bytes,
        double seconds,
        List<List<Long>> reads,
        List<Long> places) {

    /**
     * @return the largest number of reads of a shard over their mean, the mean over the layers; 1 where there are none
     */
    public double imbalance() {
        return reads.stream()
                .filter(layer -> sum(layer) > 0)
                .mapToDouble(
                        layer -> layer.stream().mapToLong(Long::longValue).max().orElseThrow()
                                * (double) layer.size()
                                / sum(layer))
                .average()
                .orElse(1);
    }

    private static long sum(List<Long> layer) {
        return layer.stream().mapToLong(Long::longValue).sum();
    }
}
