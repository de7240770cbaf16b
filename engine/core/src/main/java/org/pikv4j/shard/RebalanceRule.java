package org.pikv4j.shard;

import org.pikv4j.error.InvalidOptionException;

/**
 * When pages are placed anew between two batches: when the largest load of a shard, over the mean, passes a factor. A load is the bytes
 * held, or the bytes read in a layer, over the shard's weight; whichever is more uneven counts.
 *
 * @param factor the largest load over the mean that is put up with, above 1
 * @param tokens tokens that are read or generated, in all sessions together, before loads are looked at again
 */
public record RebalanceRule(double factor, int tokens) {
    /** How many tokens lie between two looks where nobody says so. */
    public static final int DEFAULT_TOKENS = 256;

    public RebalanceRule {
        if (!(factor > 1 && factor < 1e9)) {
            throw new InvalidOptionException("rebalance must be a factor above 1, not " + factor);
        }
        if (tokens < 1) {
            throw new InvalidOptionException("rebalance-every must be at least 1, not " + tokens);
        }
    }
}
