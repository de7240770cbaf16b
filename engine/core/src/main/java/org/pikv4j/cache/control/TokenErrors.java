package org.pikv4j.cache.control;

/**
 * Estimates how far the output of one layer and KV head is off, in the norm, when something happens to a token. First all tokens
 * are {@linkplain #see seen}.
 */
final class TokenErrors {
    private final int width;
    private final double[] sum;
    private double weight;

    /**
     * @param width of a value
     */
    TokenErrors(int width) {
        this.width = width;
        this.sum = new double[width];
    }

    /**
     * Takes notice of a token.
     *
     * @param attention its share of the attention
     * @param values rows
     * @param row which of them is its value
     */
    void see(float attention, float[] values, int row) {
        weight += attention;
        for (int i = 0; i < width; i++) {
            sum[i] += (double) attention * values[row * width + i];
        }
    }

    /**
     * @param attention a token's share of the attention
     * @param values rows
     * @param row which of them is its value
     * @return what the output changes by without it: p·|o′ − v|, o′ being the mean of values by attention
     */
    float without(float attention, float[] values, int row) {
        double squares = 0;
        for (int i = 0; i < width; i++) {
            double mean = weight > 0 ? sum[i] / weight : 0;
            double distance = mean - values[row * width + i];
            squares += distance * distance;
        }
        return finite(attention * Math.sqrt(squares));
    }

    /**
     * @param attention a token's share of the attention
     * @param values rows
     * @param row which of them is its value
     * @return what a relative error of it is to be multiplied with: p·|v|
     */
    float weight(float attention, float[] values, int row) {
        double squares = 0;
        for (int i = 0; i < width; i++) {
            double value = values[row * width + i];
            squares += value * value;
        }
        return finite(attention * Math.sqrt(squares));
    }

    /** What nobody can compute with stays as long as it can. */
    private static float finite(double error) {
        return Double.isFinite(error) ? (float) Math.min(error, Float.MAX_VALUE) : Float.MAX_VALUE;
    }
}
