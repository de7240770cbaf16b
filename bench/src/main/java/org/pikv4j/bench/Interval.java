package org.pikv4j.bench;

import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * Where a value lies with 95% confidence.
 *
 * @param low lower end
 * @param high upper end
 */
public record Interval(double low, double high) {
    private static final double Z = 1.959964;
    private static final int RESAMPLES = 2000;

    /**
     * Wilson's score interval.
     *
     * @param count how often something happened
     * @param total of how many times
     * @return the interval of its share
     */
    public static Interval ofShare(int count, int total) {
        double p = (double) count / total;
        double z2 = Z * Z / total;
        double centre = (p + z2 / 2) / (1 + z2);
        double half = Z / (1 + z2) * Math.sqrt(p * (1 - p) / total + z2 / 4 / total);
        return new Interval(Math.max(0, centre - half), Math.min(1, centre + half));
    }

    /**
     * The percentile bootstrap (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, §13.3): it does without normal
     * errors, which quantities at the end of their range do not have.
     *
     * @param values a sample, at least one
     * @param seed of what is drawn
     * @return the interval of their mean
     */
    public static Interval ofMean(double[] values, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        double[] means = new double[RESAMPLES];
        for (int r = 0; r < RESAMPLES; r++) {
            double sum = 0;
            for (int i = 0; i < values.length; i++) {
                sum += values[random.nextInt(values.length)];
            }
            means[r] = sum / values.length;
        }
        Arrays.sort(means);
        return new Interval(means[RESAMPLES / 40], means[RESAMPLES - 1 - RESAMPLES / 40]);
    }
}
