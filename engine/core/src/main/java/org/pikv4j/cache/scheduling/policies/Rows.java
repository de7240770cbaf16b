package org.pikv4j.cache.scheduling.policies;

/** Arithmetic on rows of a matrix, in double precision. */
final class Rows {

    private Rows() {}

    static double norm(float[] rows, int row, int width) {
        double sum = 0;
        for (int i = row * width; i < (row + 1) * width; i++) {
            sum += (double) rows[i] * rows[i];
        }
        return Math.sqrt(sum);
    }

    static double dot(float[] rows, int row, int width, double[] vector) {
        double sum = 0;
        for (int i = 0; i < width; i++) {
            sum += rows[row * width + i] * vector[i];
        }
        return sum;
    }

    /** Adds a row, times a factor. */
    static void add(float[] rows, int row, int width, double factor, double[] into) {
        for (int i = 0; i < width; i++) {
            into[i] += factor * rows[row * width + i];
        }
    }
}
