package org.pikv4j.bench.scaling;

import java.util.List;

/**
 * What a sequence takes, by the number of rows that a page holds, beside the paper's model of rings of S rows.
 *
 * @param context tokens of a sequence on average, L
 * @param expertsPerToken K
 * @param sequences how many of random lengths around L were measured
 * @param handleBytes measured: what the engine's heap keeps of a page
 * @param rows one for each number of shards and size of ring
 * @param minima one for each number of shards
 */
record RingReport(
        int context, int expertsPerToken, int sequences, double handleBytes, List<Row> rows, List<Minimum> minima) {

    /**
     * Bytes of a sequence, the mean of all.
     *
     * @param shards G
     * @param ring rows that a page holds, S
     * @param pages number of pages
     * @param payloadBytes what its tokens take without anything else
     * @param openBytes measured: pages that stay with the engine, those being filled
     * @param shardBytes measured: pages on all shards
     * @param tailBytes measured: room for tokens that are not there, a part of the open pages
     * @param handleBytes what the engine's heap keeps of its pages
     * @param nameBytes measured: what told shards what they hold
     * @param messageBytes measured: queries and partials of a decoded token
     * @param deviceBytes of a device that runs the engine and one of the shards: open pages, handles, messages, and its part of what
     *     shards have
     * @param paperBytes M of the paper
     */
    record Row(
            int shards,
            int ring,
            double pages,
            double payloadBytes,
            double openBytes,
            double shardBytes,
            double tailBytes,
            double handleBytes,
            double nameBytes,
            double messageBytes,
            double deviceBytes,
            double paperBytes) {

        /** What the device would not take if rows needed nothing else. */
        double overhead() {
            return deviceBytes - payloadBytes / shards;
        }
    }

    /**
     * Where bytes are least.
     *
     * @param shards G
     * @param measuredRing the ring measured with the least bytes on a device
     * @param measuredBytes these bytes
     * @param paperRing S* of the paper, √(L/(K·G))
     * @param correctedRing the same form with the bytes of a page's handle and of an open page's rows: √(L·handle/(row·(1 − 1/(2G))))
     */
    record Minimum(int shards, int measuredRing, double measuredBytes, double paperRing, double correctedRing) {}
}
