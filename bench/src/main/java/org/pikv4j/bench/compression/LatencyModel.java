package org.pikv4j.bench.compression;

import java.util.List;

/**
 * The time of one query over compressed keys and values, T = bytes/β + numbers/γ + fixed (PiKV, arXiv 2508.06526, §3.3; the
 * paper has no fixed term, so its plateau cannot follow), fitted by least squares of the relative errors, with no negative
 * term.
 *
 * @param bandwidth β, bytes per second
 * @param decodeRate γ, numbers per second
 * @param fixedSeconds what a query costs at any length
 * @param relativeError root of the mean squared relative error of what it was fitted to
 */
record LatencyModel(double bandwidth, double decodeRate, double fixedSeconds, double relativeError) {

    /**
     * @param tokens tokens attended to
     * @param bytes bytes read
     * @param elements numbers read
     * @param seconds time taken
     */
    record Sample(int tokens, double bytes, double elements, double seconds) {}

    static LatencyModel fit(List<Sample> samples) {
        double[] best = {0, 0, 0};
        double least = Double.POSITIVE_INFINITY;
        // With three terms, all subsets can be tried: the best one without negative terms is the constrained optimum.
        for (int subset = 1; subset < 8; subset++) {
            double[] terms = solve(samples, subset);
            if (terms[0] >= 0 && terms[1] >= 0 && terms[2] >= 0) {
                double error = error(samples, terms);
                if (error < least) {
                    least = error;
                    best = terms;
                }
            }
        }
        return new LatencyModel(1 / best[0], 1 / best[1], best[2], Math.sqrt(least / samples.size()));
    }

    private static double[] row(Sample sample) {
        return new double[] {sample.bytes / sample.seconds, sample.elements / sample.seconds, 1 / sample.seconds};
    }

    private static double error(List<Sample> samples, double[] terms) {
        double sum = 0;
        for (Sample sample : samples) {
            double[] x = row(sample);
            double difference = x[0] * terms[0] + x[1] * terms[1] + x[2] * terms[2] - 1;
            sum += difference * difference;
        }
        return sum;
    }

    /** The normal equations of the chosen terms, scaled, by elimination. */
    private static double[] solve(List<Sample> samples, int subset) {
        double[][] a = new double[3][4];
        double[] scale = new double[3];
        for (Sample sample : samples) {
            double[] x = row(sample);
            for (int i = 0; i < 3; i++) {
                scale[i] += x[i] * x[i];
            }
        }
        for (int i = 0; i < 3; i++) {
            scale[i] = Math.sqrt(scale[i]);
        }
        for (Sample sample : samples) {
            double[] x = row(sample);
            for (int i = 0; i < 3; i++) {
                for (int j = 0; j < 3; j++) {
                    a[i][j] += x[i] / scale[i] * x[j] / scale[j];
                }
                a[i][3] += x[i] / scale[i];
            }
        }
        for (int i = 0; i < 3; i++) {
            if ((subset >> i & 1) == 0) {
                for (int j = 0; j < 4; j++) {
                    a[i][j] = i == j ? 1 : 0;
                    if (j < 3) {
                        a[j][i] = i == j ? 1 : 0;
                    }
                }
            }
        }
        for (int i = 0; i < 3; i++) {
            for (int k = 0; k < 3; k++) {
                double factor = k == i ? 0 : a[k][i] / a[i][i];
                for (int j = 0; j < 4; j++) {
                    a[k][j] -= factor * a[i][j];
                }
            }
        }
        double[] terms = new double[3];
        for (int i = 0; i < 3; i++) {
            double term = a[i][3] / a[i][i] / scale[i];
            terms[i] = Double.isFinite(term) ? term : -1; // the terms cannot be told apart
        }
        return terms;
    }

    double seconds(double bytes, double elements) {
        return bytes / bandwidth + elements / decodeRate + fixedSeconds;
    }
}
