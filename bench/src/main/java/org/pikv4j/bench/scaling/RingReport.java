package org.pikv4j.bench.scaling;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.OptionalDouble;

/**
 * What a sequence takes, by the number of rows that a page holds, beside the paper's model of rings of S rows. Where sequences are too
 * small for the heap of their pages to be measured, it is null in JSON, with all that follows from it.
 *
 * @param context tokens of a sequence on average, L
 * @param expertsPerToken K
 * @param sequences how many of random lengths around L were measured
 * @param handleBytes measured: what the engine's heap keeps of a page; empty where that is too small to measure
 * @param rows one for each number of shards and size of ring
 * @param minima one for each number of shards; none without the bytes of a handle
 */
record RingReport(
        int context,
        int expertsPerToken,
        int sequences,
        @JsonInclude(JsonInclude.Include.ALWAYS) OptionalDouble handleBytes,
        List<Row> rows,
        List<Minimum> minima) {

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
            @JsonInclude(JsonInclude.Include.ALWAYS) OptionalDouble handleBytes,
            double nameBytes,
            double messageBytes,
            @JsonInclude(JsonInclude.Include.ALWAYS) OptionalDouble deviceBytes,
            double paperBytes) {

        /** What the device would not take if rows needed nothing else. */
        OptionalDouble overhead() {
            return deviceBytes.stream()
                    .map(bytes -> bytes - payloadBytes / shards)
                    .findFirst();
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
