package org.pikv4j.cache.compression;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.pikv4j.TestSeeds;
import org.pikv4j.cache.compression.HalfShape.Side;

class ChunkPcaTest {
    /** Between subnormal neighbours of bfloat16. */
    private static final float BF16_STEP = 0x1p-133f;

    private final long seed = TestSeeds.seed();
    private final SplittableRandom random = new SplittableRandom(seed);

    /** A mean and a few directions, each half as important as the one before it. */
    private float[] lowRank(HalfShape shape, int rank) {
        float[] matrix = new float[shape.elements()];
        float[] mean = TestSeeds.normal(random, shape.width());
        float[] directions = TestSeeds.normal(random, rank * shape.width());
        for (int t = 0; t < shape.tokens(); t++) {
            float[] coefficients = TestSeeds.normal(random, rank);
            for (int i = 0; i < shape.width(); i++) {
                float sum = 3 * mean[i];
                for (int k = 0; k < rank; k++) {
                    sum += coefficients[k] * directions[k * shape.width() + i] / (1 << k);
                }
                matrix[shape.index(t, i)] = sum;
            }
        }
        return matrix;
    }

    private static float[] roundTrip(ChunkPca codec, HalfShape shape, float[] matrix) {
        MemorySegment half = MemorySegment.ofArray(new byte[codec.bytes(shape)]);
        codec.encode(shape, matrix, half);
        float[] decoded = new float[matrix.length];
        codec.decode(shape, half, decoded);
        return decoded;
    }

    private static double distance(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += Math.pow((double) a[i] - b[i], 2);
        }
        return Math.sqrt(sum);
    }

    private static double norm(float[] a) {
        return distance(a, new float[a.length]);
    }

    @Test
    void whatHasTheRankComesOut() {
        for (Side side : Side.values()) {
            for (int tokens : new int[] {16, 48, 64}) {
                for (int width : new int[] {20, 64, 96}) {
                    HalfShape shape = new HalfShape(side, tokens, width);
                    float[] matrix = lowRank(shape, 4);
                    double error = distance(roundTrip(new ChunkPca(4), shape, matrix), matrix) / norm(matrix);
                    // bfloat16 has 8 bits.
                    assertThat(error)
                            .as("%s, %s", shape, TestSeeds.repeat(seed))
                            .isLessThan(0.006);
                }
            }
        }
    }

    @Test
    void directionsAreThePrincipalOnes() {
        for (HalfShape shape : new HalfShape[] {new HalfShape(Side.KEYS, 64, 24), new HalfShape(Side.VALUES, 24, 64)}) {
            float[] matrix = lowRank(shape, 8);
            for (int i = 0; i < matrix.length; i++) {
                matrix[i] += (float) (0.1 * random.nextGaussian());
            }
            for (int rank : new int[] {1, 2, 4}) {
                double error = distance(roundTrip(new ChunkPca(rank), shape, matrix), matrix);
                assertThat(error)
                        .as("rank %s of %s, %s", rank, shape, TestSeeds.repeat(seed))
                        .isCloseTo(best(shape, matrix, rank), within(0.02 * norm(matrix) / 8));
            }
        }
    }

    /** The error of the best approximation, from the eigenvalues of XᵀX by cyclic Jacobi rotations. */
    private static double best(HalfShape shape, float[] matrix, int rank) {
        int n = shape.width();
        double[][] covariance = new double[n][n];
        double[] mean = new double[n];
        for (int t = 0; t < shape.tokens(); t++) {
            for (int i = 0; i < n; i++) {
                mean[i] += matrix[shape.index(t, i)] / (double) shape.tokens();
            }
        }
        for (int t = 0; t < shape.tokens(); t++) {
            for (int i = 0; i < n; i++) {
                for (int j = 0; j < n; j++) {
                    covariance[i][j] += (matrix[shape.index(t, i)] - mean[i]) * (matrix[shape.index(t, j)] - mean[j]);
                }
            }
        }
        for (int sweep = 0; sweep < 15; sweep++) {
            for (int p = 0; p < n; p++) {
                for (int q = p + 1; q < n; q++) {
                    double angle = 0.5 * Math.atan2(2 * covariance[p][q], covariance[q][q] - covariance[p][p]);
                    double cos = Math.cos(angle);
                    double sin = Math.sin(angle);
                    for (int k = 0; k < n; k++) {
                        double a = covariance[k][p];
                        double b = covariance[k][q];
                        covariance[k][p] = cos * a - sin * b;
                        covariance[k][q] = sin * a + cos * b;
                    }
                    for (int k = 0; k < n; k++) {
                        double a = covariance[p][k];
                        double b = covariance[q][k];
                        covariance[p][k] = cos * a - sin * b;
                        covariance[q][k] = sin * a + cos * b;
                    }
                }
            }
        }
        double[] eigenvalues = new double[n];
        for (int i = 0; i < n; i++) {
            eigenvalues[i] = Math.max(covariance[i][i], 0);
        }
        Arrays.sort(eigenvalues);
        double left = 0;
        for (int i = 0; i < n - rank; i++) {
            left += eigenvalues[i];
        }
        return Math.sqrt(left);
    }

    @Test
    void bytesAreWhatIsStored() {
        assertThat(new ChunkPca(8).bytes(new HalfShape(Side.KEYS, 64, 128))).isEqualTo(2 * (128 + 8 * 128 + 64 * 8));
        // No more directions than there are tokens.
        assertThat(new ChunkPca(100).bytes(new HalfShape(Side.VALUES, 16, 20))).isEqualTo(2 * (20 + 16 * 20 + 16 * 16));
    }

    @Test
    void extremesStayFiniteAndEqualPagesEqual() {
        for (Side side : Side.values()) {
            HalfShape shape = new HalfShape(side, 16, 24);
            for (float size : new float[] {0f, 1e-40f, 1e-30f, 1f, 3e38f}) {
                for (boolean constant : new boolean[] {true, false}) {
                    float[] matrix = new float[shape.elements()];
                    for (int i = 0; i < matrix.length; i++) {
                        matrix[i] = constant || random.nextBoolean() ? size : -size;
                    }
                    float[] decoded = roundTrip(new ChunkPca(3), shape, matrix);
                    for (float x : decoded) {
                        assertThat(Float.isFinite(x))
                                .as("%s, %s", size, TestSeeds.repeat(seed))
                                .isTrue();
                    }
                    assertThat(roundTrip(new ChunkPca(3), shape, matrix)).isEqualTo(decoded);
                    if (constant) {
                        assertThat(decoded[5]).isCloseTo(size, within(Math.max(size / 128, BF16_STEP)));
                    }
                }
            }
        }
    }
}
