package org.pikv4j.bench.recall;

import org.pikv4j.bench.Interval;

/**
 * How many answers were right.
 *
 * @param file name of the evaluation file
 * @param right right answers
 * @param total questions
 * @param low lower end of the 95% interval of the share (Wilson's score interval)
 * @param high upper end
 * @param documentTokens tokens of the documents
 * @param seconds time for all of them
 * @param peakKvBytes the most that the cache held so far
 */
public record RecallScore(
        String file,
        int right,
        int total,
        double low,
        double high,
        long documentTokens,
        double seconds,
        long peakKvBytes) {

    static RecallScore of(String file, int right, int total, long documentTokens, double seconds, long peakKvBytes) {
        Interval share = Interval.ofShare(right, total);
        return new RecallScore(file, right, total, share.low(), share.high(), documentTokens, seconds, peakKvBytes);
    }
}
