package org.pikv4j.cache.scheduling.policies;

import java.util.Arrays;
import java.util.Set;
import org.pikv4j.cache.scheduling.EvictionPolicy;
import org.pikv4j.cache.scheduling.HeadTokens;
import org.pikv4j.cache.scheduling.ObservedAttention;
import org.pikv4j.cache.scheduling.PolicyOptions;
import org.pikv4j.cache.scheduling.Signal;
import org.pikv4j.cache.storage.TokenColumns;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.model.HeadRotation;

/**
 * The attention that future queries will probably pay (Devoto et al., "Expected Attention: KV Cache Compression by Estimating
 * Attention from Future Queries Distribution", arXiv 2510.00636, §3): before their rotation the queries of a head are much alike, so
 * those that come are taken to be normal with the mean μ and the covariance Σ of those that came. Turned by R, the mean rotation of
 * the next positions, they give a key k the expected weight exp(k·Rμ/√d + kᵀRΣRᵀk/2d), which is made a softmax over the tokens and
 * weighted by ‖v‖: what is attended to does nothing if its value is small. The mean over the group's heads counts.
 *
 * <p>Keeps d(d + 3)/2 + 1 numbers for each query head, the sums of the queries and of their products.
 *
 * <p>Options: {@code queries}, how many before each eviction are taken in (128), beside those that were, and {@code future}, the positions that lie ahead (512).
 */
public final class ExpectedAttention implements EvictionPolicy {
    static final int QUERIES = 128;
    static final int FUTURE = 512;

    private final int queries;
    private final int future;

    ExpectedAttention(int queries, int future) {
        this.queries = queries;
        this.future = future;
    }

    @Override
    public String name() {
        return "expected-attention";
    }

    @Override
    public EvictionPolicy with(PolicyOptions options) {
        return new ExpectedAttention(options.number("queries", queries, 1), options.number("future", future, 1));
    }

    @Override
    public Set<Signal> signals() {
        return Set.of(Signal.QUERIES);
    }

    @Override
    public int observedQueries() {
        return queries;
    }

    @Override
    public int headNumbers(AttentionSpec spec) {
        return spec.group() * perHead(spec.headDim());
    }

    /** How many queries; their sum; the lower triangle of the sum of their outer products, row by row. */
    private static int perHead(int d) {
        return 1 + d + d * (d + 1) / 2;
    }

    @Override
    public void observe(TokenColumns columns, ObservedAttention seen) {
        int d = seen.spec().headDim();
        HeadRotation rotation = new HeadRotation(seen.spec().rope());
        float[] query = new float[d];
        float[] sums = columns.together();
        for (int row = 0; row < seen.rows(); row++) {
            for (int g = 0; g < seen.spec().group(); g++) {
                System.arraycopy(seen.queries(), seen.query(row) + g * d, query, 0, d);
                rotation.turn(query, 0, -(seen.position() + row));
                int at = g * perHead(d);
                sums[at++]++;
                for (int i = 0; i < d; i++) {
                    sums[at++] += query[i];
                }
                for (int i = 0; i < d; i++) {
                    float factor = query[i];
                    for (int j = 0; j <= i; j++) {
                        sums[at + j] += factor * query[j];
                    }
                    at += i + 1;
                }
            }
        }
    }

    @Override
    public void score(HeadTokens tokens, float[] scores) {
        AttentionSpec spec = tokens.spec();
        int d = spec.headDim();
        float[][] keys = transposed(tokens.keys(), d);
        float[] values = tokens.values();
        double[] turned = meanRotation(spec, tokens.length());
        double[] weights = new double[scores.length];
        for (int g = 0; g < spec.group(); g++) {
            addExpected(tokens.columns().together(), g * perHead(d), spec, turned, keys, weights);
        }
        for (int i = 0; i < scores.length; i++) {
            scores[i] = (float) (weights[i] * Rows.norm(values, i, d));
        }
    }

    /** Of each pair, the mean over the positions ahead of the cosine, and of the sine, of its angle. */
    private double[] meanRotation(AttentionSpec spec, int length) {
        float[] frequencies = new HeadRotation(spec.rope()).inverseFrequencies();
        double[] mean = new double[2 * frequencies.length];
        for (int i = 0; i < frequencies.length; i++) {
            for (int position = length; position < length + future; position++) {
                double angle = (double) position * frequencies[i];
                mean[i] += Math.cos(angle) / future;
                mean[frequencies.length + i] += Math.sin(angle) / future;
            }
        }
        return mean;
    }

    private static void addExpected(
            float[] sums, int at, AttentionSpec spec, double[] turned, float[][] keys, double[] weights) {
        int d = spec.headDim();
        double count = Math.max(1, sums[at]);
        double[] mean = new double[d];
        double[][] covariance = new double[d][d];
        int products = at + 1 + d;
        for (int i = 0; i < d; i++) {
            mean[i] = sums[at + 1 + i] / count;
            for (int j = 0; j <= i; j++) {
                covariance[i][j] = sums[products++] / count - mean[i] * mean[j];
                covariance[j][i] = covariance[i][j];
            }
        }
        turn(mean, turned);
        for (double[] row : covariance) {
            turn(row, turned);
        }
        // Now Σ Rᵀ stands there; its columns are turned as its rows were.
        float[] linear = new float[d];
        float[] quadratic = new float[d * d];
        double[] column = new double[d];
        for (int j = 0; j < d; j++) {
            for (int i = 0; i < d; i++) {
                column[i] = covariance[i][j];
            }
            turn(column, turned);
            linear[j] = (float) (mean[j] * spec.scale());
            for (int i = 0; i < d; i++) {
                quadratic[i * d + j] = (float) (column[i] * spec.scale() * spec.scale() / 2);
            }
        }
        addSoftmax(exponents(linear, quadratic, keys, weights.length), spec.group(), weights);
    }

    private static void turn(double[] x, double[] turned) {
        int pairs = turned.length / 2;
        for (int i = 0; i < pairs; i++) {
            double a = x[i];
            double b = x[pairs + i];
            x[i] = a * turned[i] - b * turned[pairs + i];
            x[pairs + i] = b * turned[i] + a * turned[pairs + i];
        }
    }

    /** Sums run over tokens then, which the compiler makes vectors of: (headDim, token). */
    private static float[][] transposed(float[] keys, int d) {
        float[][] rows = new float[d][keys.length / d];
        for (int t = 0; t < keys.length / d; t++) {
            for (int i = 0; i < d; i++) {
                rows[i][t] = keys[t * d + i];
            }
        }
        return rows;
    }

    /** k·linear + kᵀ·quadratic·k for each key, the quadratic form being symmetric. */
    private static float[] exponents(float[] linear, float[] quadratic, float[][] keys, int count) {
        int d = linear.length;
        float[] exponents = new float[count];
        float[] row = new float[count];
        for (int j = 0; j < d; j++) {
            Arrays.fill(row, linear[j]);
            int i = 0;
            for (; i + 4 <= j; i += 4) {
                add(row, quadratic, i * d + j, d, keys[i], keys[i + 1], keys[i + 2], keys[i + 3]);
            }
            for (; i <= j; i++) {
                float factor = (i < j ? 2 : 1) * quadratic[i * d + j];
                for (int t = 0; t < count; t++) {
                    row[t] += factor * keys[i][t];
                }
            }
            for (int t = 0; t < count; t++) {
                exponents[t] += row[t] * keys[j][t];
            }
        }
        return exponents;
    }

    /** Four at a time, so that the sums are read and written less often. */
    private static void add(
            float[] row, float[] factors, int at, int stride, float[] a, float[] b, float[] c, float[] e) {
        float fa = 2 * factors[at];
        float fb = 2 * factors[at + stride];
        float fc = 2 * factors[at + 2 * stride];
        float fe = 2 * factors[at + 3 * stride];
        for (int t = 0; t < row.length; t++) {
            row[t] += fa * a[t] + fb * b[t] + fc * c[t] + fe * e[t];
        }
    }

    private static void addSoftmax(float[] exponents, int heads, double[] weights) {
        double most = Double.NEGATIVE_INFINITY;
        for (float exponent : exponents) {
            most = Math.max(most, exponent);
        }
        double sum = 0;
        for (float exponent : exponents) {
            sum += Math.exp(exponent - most);
        }
        for (int i = 0; i < exponents.length; i++) {
            weights[i] += Math.exp(exponents[i] - most) / sum / heads;
        }
    }
}
