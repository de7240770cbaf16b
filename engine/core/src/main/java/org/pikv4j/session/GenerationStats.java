package org.pikv4j.session;

import java.util.Arrays;

/**
 * Times and bytes of one generation.
 *
 * @param promptTokens tokens of the prompt that had to be read
 * @param generatedTokens tokens generated
 * @param timeToFirstToken seconds from the call to the first token, or to the end if there was none
 * @param decodeSeconds seconds from the first token to the last
 * @param tokenP50 median of the seconds between tokens, 0 below two tokens
 * @param tokenP99 99th percentile of the same
 * @param kvBytes what the cache held in memory at the end, all sessions together
 * @param kvOpenBytes of these, pages that shall be compressed and are not yet, and the room kept for their sealed forms
 * @param kvTierBytes what it held on the second tier beside
 * @param kvTokens tokens that this session's cache held at the end
 * @param kvTokensKept of these, those that are left, on average over layers and KV heads
 * @param sessionKvBytes bytes of this session's pages in memory at the end
 */
public record GenerationStats(
        int promptTokens,
        int generatedTokens,
        double timeToFirstToken,
        double decodeSeconds,
        double tokenP50,
        double tokenP99,
        long kvBytes,
        long kvOpenBytes,
        long kvTierBytes,
        int kvTokens,
        double kvTokensKept,
        long sessionKvBytes) {

    /**
     * @return prompt tokens read per second, 0 if there was nothing to read
     */
    public double prefillTokensPerSecond() {
        return timeToFirstToken > 0 ? promptTokens / timeToFirstToken : 0;
    }

    /**
     * @return tokens per second after the first, 0 below two tokens
     */
    public double decodeTokensPerSecond() {
        return decodeSeconds > 0 ? (generatedTokens - 1) / decodeSeconds : 0;
    }

    /**
     * @return bytes of the session's pages in memory per token held, 0 if nothing is held
     */
    public double kvBytesPerToken() {
        return kvTokens > 0 ? (double) sessionKvBytes / kvTokens : 0;
    }

    /** The nearest-rank percentile of sorted values, 0 of none. */
    static double percentile(double[] values, double share) {
        if (values.length == 0) {
            return 0;
        }
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[Math.clamp((int) Math.ceil(share * sorted.length) - 1, 0, sorted.length - 1)];
    }
}
