package org.pikv4j.cache.compression;

import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.tensor.DType;

/**
 * Principal components of the tokens of one page: a mean row, r directions and r coefficients per token, of its own for each
 * page (the block PCA of PiKV's ChunkKV, arXiv 2508.06526, Table 2; the chunk as the unit: ChunkKV, arXiv 2502.00299).
 *
 * <pre>
 *   | mean, (width) | directions, (r, width) | coefficients, (tokens, r) |     bfloat16
 * </pre>
 *
 * r is the rank, or the number of tokens or elements where that is less. With T tokens of d elements it takes 2·(d + r·(d + T))
 * bytes, so that it shrinks 16-bit rows only while r is below d·(T − 1) / (d + T).
 *
 * @param rank directions kept
 */
public record ChunkPca(int rank) implements Codec {

    /** What names start with. */
    static final String PREFIX = "chunk-pca:";

    private static final Pattern NAME = Pattern.compile(PREFIX + "([1-9][0-9]{0,4})");

    private static final DType STORED = DType.BF16;

    /** Subspace iterations, at most: where a few directions stand out, two or three are enough. */
    private static final int ITERATIONS = 40;

    /** Iterations end when one adds less than this share of what is captured. */
    private static final double LITTLE = 1e-5;

    /** A direction is none if this little of it is left beside the earlier ones. */
    private static final double DEPENDENT = 1e-10;

    public ChunkPca {
        if (rank < 1) {
            throw new IllegalArgumentException("rank " + rank);
        }
    }

    static ChunkPca parse(String name) {
        Matcher matcher = NAME.matcher(name);
        if (!matcher.matches()) {
            throw new InvalidOptionException("kv-dtype '%s': %sR wants a rank R of at least 1, for instance %s8"
                    .formatted(name, PREFIX, PREFIX));
        }
        return new ChunkPca(Integer.parseInt(matcher.group(1)));
    }

    @Override
    public String name() {
        return PREFIX + rank;
    }

    /**
     * @param shape the half
     * @return directions that are stored
     */
    public int rank(HalfShape shape) {
        return Math.min(rank, Math.min(shape.tokens(), shape.width()));
    }

    @Override
    public int bytes(HalfShape shape) {
        int r = rank(shape);
        return STORED.bytes() * Math.addExact(shape.width(), Math.multiplyExact(r, shape.width() + shape.tokens()));
    }

    @Override
    public int scaleBytes(HalfShape shape) {
        return STORED.bytes() * shape.width() * (1 + rank(shape));
    }

    @Override
    public void encode(HalfShape shape, float[] in, MemorySegment out) {
        int tokens = shape.tokens();
        int width = shape.width();
        int r = rank(shape);
        Writer writer = new Writer(out);
        double[][] rows = new double[tokens][width];
        for (int i = 0; i < width; i++) {
            double sum = 0;
            for (int t = 0; t < tokens; t++) {
                sum += in[shape.index(t, i)];
            }
            // What is stored is rounded, and what follows makes up for it.
            float mean = writer.write(sum / tokens);
            for (int t = 0; t < tokens; t++) {
                rows[t][i] = (double) in[shape.index(t, i)] - mean;
            }
        }
        double[][] directions = directions(rows, r);
        for (double[] direction : directions) {
            for (int i = 0; i < width; i++) {
                direction[i] = writer.write(direction[i]);
            }
        }
        for (double[] row : rows) {
            for (double[] direction : directions) {
                writer.write(dot(row, direction));
            }
        }
    }

    @Override
    public void decode(HalfShape shape, MemorySegment in, float[] out) {
        int width = shape.width();
        int r = rank(shape);
        float[] mean = new float[width];
        float[] directions = new float[r * width];
        float[] coefficients = new float[shape.tokens() * r];
        STORED.read(in, 0, mean, 0, mean.length);
        STORED.read(in, (long) STORED.bytes() * width, directions, 0, directions.length);
        STORED.read(in, (long) STORED.bytes() * (width + r * width), coefficients, 0, coefficients.length);
        for (int t = 0; t < shape.tokens(); t++) {
            for (int i = 0; i < width; i++) {
                double sum = mean[i];
                for (int k = 0; k < r; k++) {
                    sum += (double) coefficients[t * r + k] * directions[k * width + i];
                }
                out[shape.index(t, i)] = (float) Math.clamp(sum, -Float.MAX_VALUE, Float.MAX_VALUE);
            }
        }
    }

    /**
     * The directions of largest variance, by subspace iteration on the smaller of the two Gram matrices. The start is the same
     * in every run, so that equal pages have equal bytes.
     *
     * @param rows (tokens, width), centred
     * @param r how many
     * @return (r, width), orthonormal, zero where there are fewer
     */
    private static double[][] directions(double[][] rows, int r) {
        boolean byToken = rows.length < rows[0].length;
        double[][] sides = byToken ? rows : transposed(rows);
        int n = sides.length;
        double[][] gram = new double[n][n];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j <= i; j++) {
                gram[i][j] = dot(sides[i], sides[j]);
                gram[j][i] = gram[i][j];
            }
        }
        SplittableRandom random = new SplittableRandom(1);
        double[][] basis = new double[r][n];
        for (double[] vector : basis) {
            for (int i = 0; i < n; i++) {
                vector[i] = random.nextDouble() - 0.5;
            }
        }
        orthonormalise(basis);
        double before = 0;
        for (int iteration = 0; iteration < ITERATIONS; iteration++) {
            basis = product(basis, gram);
            double captured = orthonormalise(basis);
            if (captured <= before * (1 + LITTLE)) {
                break;
            }
            before = captured;
        }
        if (byToken) {
            basis = product(basis, rows);
            orthonormalise(basis);
        }
        return basis;
    }

    /**
     * Gram–Schmidt, each vector against those before it.
     *
     * @return the sum of what was left of their lengths
     */
    private static double orthonormalise(double[][] vectors) {
        double lengths = 0;
        for (int k = 0; k < vectors.length; k++) {
            double[] vector = vectors[k];
            double whole = Math.sqrt(dot(vector, vector));
            // Twice is enough: the second time takes away what rounding left the first time.
            for (int pass = 0; pass < 2; pass++) {
                for (int j = 0; j < k; j++) {
                    add(-dot(vector, vectors[j]), vectors[j], vector);
                }
            }
            double left = Math.sqrt(dot(vector, vector));
            double factor = left > DEPENDENT * whole ? 1 / left : 0;
            for (int i = 0; i < vector.length; i++) {
                vector[i] *= factor;
            }
            lengths += left;
        }
        return lengths;
    }

    /** (k, n) · (n, m). */
    private static double[][] product(double[][] left, double[][] right) {
        double[][] product = new double[left.length][right[0].length];
        for (int k = 0; k < left.length; k++) {
            for (int i = 0; i < right.length; i++) {
                add(left[k][i], right[i], product[k]);
            }
        }
        return product;
    }

    private static double[][] transposed(double[][] matrix) {
        double[][] transposed = new double[matrix[0].length][matrix.length];
        for (int i = 0; i < matrix.length; i++) {
            for (int j = 0; j < matrix[i].length; j++) {
                transposed[j][i] = matrix[i][j];
            }
        }
        return transposed;
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    private static void add(double factor, double[] from, double[] to) {
        for (int i = 0; i < to.length; i++) {
            to[i] += factor * from[i];
        }
    }

    /** Writes one number after another. */
    private static final class Writer {
        private final MemorySegment out;
        private long offset;

        Writer(MemorySegment out) {
            this.out = out;
        }

        /**
         * @return the number as it is stored
         */
        float write(double number) {
            STORED.write(out, offset, (float) Math.clamp(number, -ScaleFormat.LARGEST, ScaleFormat.LARGEST));
            float stored = STORED.read(out, offset);
            offset += STORED.bytes();
            return stored;
        }
    }
}
