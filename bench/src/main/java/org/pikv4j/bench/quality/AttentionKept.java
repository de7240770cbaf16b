package org.pikv4j.bench.quality;

import java.util.Arrays;

/** Compares what was attended to with what exact attention looks at; a sample for each step, layer and KV head. */
public final class AttentionKept {
    private final ExactAttention exact;
    private int samples;
    private int hits;
    private double mass;
    private double read;

    AttentionKept(ExactAttention exact) {
        this.exact = exact;
    }

    /**
     * @param layer index of a layer
     * @param step index of a step
     * @param kvHead index of a KV head
     * @param positions of the tokens that the step attended to there, ascending
     */
    void add(int layer, int step, int kvHead, int[] positions) {
        int oldest = exact.position(step) - exact.visible(layer, step);
        int seen = 0;
        for (int position : positions) {
            if (position > oldest) {
                mass += exact.probability(layer, step, kvHead, position);
                seen++;
            }
        }
        hits += Arrays.binarySearch(positions, exact.top(layer, step, kvHead)) >= 0 ? 1 : 0;
        read += (double) seen / exact.visible(layer, step);
        samples++;
    }

    /**
     * @return share of the samples whose top token was there
     */
    public double hitRate() {
        return (double) hits / samples;
    }

    /**
     * @return mean of the exact softmax's mass on the tokens that were there
     */
    public double mass() {
        return mass / samples;
    }

    /**
     * @return mean share of the tokens that were read
     */
    public double read() {
        return read / samples;
    }
}
