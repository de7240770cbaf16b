package org.pikv4j.bench;

import java.util.Arrays;

/** Next-token distributions: (row, vocabulary) log-probabilities. */
public final class Distributions {
    private final int vocabulary;
    private final float[] logProbabilities;

    private Distributions(int vocabulary, float[] logProbabilities) {
        this.vocabulary = vocabulary;
        this.logProbabilities = logProbabilities;
    }

    /**
     * @param rows how many distributions
     * @param vocabulary tokens of each
     */
    public Distributions(int rows, int vocabulary) {
        this(vocabulary, new float[Math.multiplyExact(rows, vocabulary)]);
    }

    /**
     * @param row index of a distribution
     * @param logits holds its logits
     * @param offset where they start
     */
    public void set(int row, float[] logits, int offset) {
        float max = logits[offset];
        for (int i = 1; i < vocabulary; i++) {
            max = Math.max(max, logits[offset + i]);
        }
        double sum = 0;
        for (int i = 0; i < vocabulary; i++) {
            sum += Math.exp(logits[offset + i] - max);
        }
        float norm = max + (float) Math.log(sum);
        for (int i = 0; i < vocabulary; i++) {
            logProbabilities[row * vocabulary + i] = logits[offset + i] - norm;
        }
    }

    /**
     * @return how many distributions
     */
    public int rows() {
        return logProbabilities.length / vocabulary;
    }

    /**
     * @return what they take in memory
     */
    public long bytes() {
        return (long) Float.BYTES * logProbabilities.length;
    }

    /**
     * @param row index of a distribution
     * @return a copy of it and of those behind it
     */
    public Distributions from(int row) {
        return new Distributions(
                vocabulary, Arrays.copyOfRange(logProbabilities, row * vocabulary, logProbabilities.length));
    }

    /**
     * @param other as many distributions
     * @return mean KL(this ‖ other) per row, in nats
     */
    public double divergence(Distributions other) {
        double sum = 0;
        for (int i = 0; i < logProbabilities.length; i++) {
            sum += Math.exp(logProbabilities[i]) * (logProbabilities[i] - other.logProbabilities[i]);
        }
        return Math.max(0, sum / rows());
    }

    /**
     * @param other as many distributions
     * @return share of rows whose most likely token is the same
     */
    public double agreement(Distributions other) {
        int same = 0;
        for (int row = 0; row < rows(); row++) {
            same += best(row) == other.best(row) ? 1 : 0;
        }
        return (double) same / rows();
    }

    private int best(int row) {
        int best = 0;
        for (int i = 1; i < vocabulary; i++) {
            if (logProbabilities[row * vocabulary + i] > logProbabilities[row * vocabulary + best]) {
                best = i;
            }
        }
        return best;
    }
}
