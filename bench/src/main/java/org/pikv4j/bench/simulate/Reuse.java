package org.pikv4j.bench.simulate;

import java.util.List;

/**
 * What {@link ReuseDistances} found.
 *
 * @param pageTokens tokens per page
 * @param reads reads of pages, over all layers and KV heads
 * @param firstReads those that no list of any length finds
 * @param capacities by number of pages, each twice the one before
 */
record Reuse(int pageTokens, long reads, long firstReads, List<Capacity> capacities) {

    /**
     * @param pages S
     * @param share share of the reuse distances below S, and not below half of it: the histogram
     * @param predicted share of the reuse distances below S
     * @param measured hit rate of a least-recently-used list of S pages, first reads aside
     */
    record Capacity(int pages, double share, double predicted, double measured) {}

    Reuse {
        capacities = List.copyOf(capacities);
    }
}
