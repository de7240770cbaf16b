package org.pikv4j.bench.speed;

import java.util.List;
import org.pikv4j.bench.Machine;

/**
 * What {@code bench run} measured.
 *
 * @param machine where
 * @param model the model's directory, or what the demo model is called
 * @param backend what computed
 * @param kvDtype how rows were cached
 * @param readBandwidth bytes per second that Java reads on this machine, measured in the same run
 * @param activeWeightBytes bytes of weights that a decode step must read
 * @param promptTokens tokens of the prompt that was timed
 * @param promptTokensPerSecond how fast it was read, into an empty cache
 * @param decode one entry per depth
 */
record SpeedReport(
        Machine machine,
        String model,
        String backend,
        String kvDtype,
        double readBandwidth,
        long activeWeightBytes,
        int promptTokens,
        Spread promptTokensPerSecond,
        List<Depth> decode) {

    /**
     * Decoding behind a context.
     *
     * @param depth tokens in the cache
     * @param kvBytes bytes that attention reads of it per token
     * @param tokensPerSecond how fast
     * @param bandwidthShare bytes that must be read per token, times tokens per second, over the read bandwidth
     * @param encodingShare time that threads spent on compressing pages, over the time of decoding
     */
    record Depth(int depth, long kvBytes, Spread tokensPerSecond, double bandwidthShare, double encodingShare) {}
}
