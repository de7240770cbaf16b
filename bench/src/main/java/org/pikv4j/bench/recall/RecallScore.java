package org.pikv4j.bench.recall;

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

    private static final double Z = 1.959964;

    static RecallScore of(String file, int right, int total, long documentTokens, double seconds, long peakKvBytes) {
        double p = (double) right / total;
        double z2 = Z * Z / total;
        double centre = (p + z2 / 2) / (1 + z2);
        double half = Z / (1 + z2) * Math.sqrt(p * (1 - p) / total + z2 / 4 / total);
        return new RecallScore(
                file,
                right,
                total,
                Math.max(0, centre - half),
                Math.min(1, centre + half),
                documentTokens,
                seconds,
                peakKvBytes);
    }
}
