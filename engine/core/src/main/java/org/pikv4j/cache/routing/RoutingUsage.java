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
 * @param following reads of queries that came behind another one
 * @param foreseen of these, those of a shard that the query before had chosen, too
 * @param readAhead pages of the second tier that were read ahead of time
 * @param sparedAhead those that were not, since the query before had not chosen them
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
        List<Long> places,
        long following,
        long foreseen,
        long readAhead,
        long sparedAhead) {

    /**
     * @return the largest number of reads of a shard over their mean, the mean over the layers; 1 where there are none
     */
    public double imbalance() {
        return imbalance(reads);
    }

    /**
     * @param reads how often each shard was chosen: (layer, shard)
     * @return the largest over the mean, the mean over the layers; 1 where there are none
     */
    public static double imbalance(List<List<Long>> reads) {
        return reads.stream()
                .filter(layer -> sum(layer) > 0)
                .mapToDouble(
                        layer -> layer.stream().mapToLong(Long::longValue).max().orElseThrow()
                                * (double) layer.size()
                                / sum(layer))
                .average()
                .orElse(1);
    }

    /**
     * @return share of the reads that a prediction from the query before gets right
     */
    public double foreseenShare() {
        return following == 0 ? 0 : (double) foreseen / following;
    }

    private static long sum(List<Long> layer) {
        return layer.stream().mapToLong(Long::longValue).sum();
    }
}
