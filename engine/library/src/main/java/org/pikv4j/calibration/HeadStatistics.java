package org.pikv4j.calibration;

/**
 * What a model did in one KV head.
 *
 * @param queries of all query heads that share it
 * @param keys its keys
 * @param values its values
 * @param attended the weighted sums of values of all query heads that share it
 */
record HeadStatistics(Moments queries, Moments keys, Moments values, Moments attended) {

    HeadStatistics(int headDim) {
        this(new Moments(headDim), new Moments(headDim), new Moments(headDim), new Moments(headDim));
    }

    boolean finite() {
        return queries.finite() && keys.finite() && values.finite() && attended.finite();
    }
}
