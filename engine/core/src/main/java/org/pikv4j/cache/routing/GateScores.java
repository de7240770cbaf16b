package org.pikv4j.cache.routing;

/**
 * What a layer's gate says of rows of a batch, applied to their hidden state before the layer's attention.
 *
 * @param probabilities the softmax over all experts, (row, experts)
 * @param first the row that is row 0 here
 * @param experts number of experts; 0 for a layer without a gate, or where nobody asks
 */
public record GateScores(float[] probabilities, int first, int experts) {

    /** Says nothing. */
    public static final GateScores NONE = new GateScores(new float[0], 0, 0);

    /**
     * @param row a row
     * @return the same from that row on
     */
    public GateScores from(int row) {
        return new GateScores(probabilities, first + row, experts);
    }

    /**
     * @param row a row
     * @param shards number of expert shards; expert e is in shard e mod {@code shards}
     * @return the sum over the experts of each
     */
    double[] of(int row, int shards) {
        double[] sums = new double[shards];
        for (int e = 0; e < experts; e++) {
            sums[e % shards] += probabilities[(first + row) * experts + e];
        }
        return sums;
    }
}
