package org.pikv4j.calibration;

import org.ejml.data.DMatrixRMaj;

/**
 * What is remembered of a stream of vectors: their number, sum, and sum of products. Everything that a linear fit in the least
 * squares can ask for follows from these, so that no vector is ever kept.
 */
final class Moments {
    private final int width;
    private final double[] sum; // (width)
    private final double[] products; // (width, width), the lower triangle
    private final double[] vector; // (width), the one being added
    private long count;

    /**
     * @param width elements of a vector
     */
    Moments(int width) {
        this.width = width;
        this.sum = new double[width];
        this.products = new double[width * width];
        this.vector = new double[width];
    }

    /**
     * @param from holds a vector
     * @param offset where it starts
     */
    void add(float[] from, int offset) {
        for (int i = 0; i < width; i++) {
            vector[i] = from[offset + i];
            sum[i] += vector[i];
        }
        for (int i = 0; i < width; i++) {
            double x = vector[i];
            int row = i * width;
            for (int j = 0; j <= i; j++) {
                products[row + j] += x * vector[j];
            }
        }
        count++;
    }

    int width() {
        return width;
    }

    long count() {
        return count;
    }

    /** Whether no infinity and no NaN was among the vectors, and no sum overflowed. */
    boolean finite() {
        for (int i = 0; i < width; i++) {
            if (!Double.isFinite(products[i * width + i])) {
                return false;
            }
        }
        return true;
    }

    /** E[x], (width). */
    double[] mean() {
        double[] mean = new double[width];
        for (int i = 0; i < width; i++) {
            mean[i] = sum[i] / count;
        }
        return mean;
    }

    /** E[x·xᵀ], (width, width). */
    DMatrixRMaj secondMoment() {
        return secondMomentAbout(new double[width]);
    }

    /** E[(x − mean)·(x − mean)ᵀ], (width, width). */
    DMatrixRMaj covariance() {
        return secondMomentAbout(mean());
    }

    /**
     * @param point a point b, (width)
     * @return E[(x − b)·(x − b)ᵀ], (width, width)
     */
    DMatrixRMaj secondMomentAbout(double[] point) {
        double[] mean = mean();
        DMatrixRMaj result = new DMatrixRMaj(width, width);
        for (int i = 0; i < width; i++) {
            for (int j = 0; j <= i; j++) {
                double value =
                        products[i * width + j] / count - mean[i] * point[j] - point[i] * mean[j] + point[i] * point[j];
                result.set(i, j, value);
                result.set(j, i, value);
            }
        }
        return result;
    }

    /** E[xᵢ²] of one element. */
    double meanSquare(int element) {
        return products[element * width + element] / count;
    }

    /** E[‖x‖²]. */
    double energy() {
        double energy = 0;
        for (int i = 0; i < width; i++) {
            energy += meanSquare(i);
        }
        return energy;
    }
}
