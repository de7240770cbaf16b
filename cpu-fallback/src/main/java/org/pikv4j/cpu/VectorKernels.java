package org.pikv4j.cpu;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.pikv4j.attention.AttentionItem;
import org.pikv4j.backend.BackendStatus;
import org.pikv4j.tensor.DType;
import org.pikv4j.tensor.Tensor;

/**
 * The kernels on the Vector API. Three micro-kernels carry everything: {@link WeightKernel} for one row, whose lanes run
 * along the sum; {@link PanelKernel} for many rows, which are the lanes; and {@link PageKernel}, whose lanes run along the
 * outputs, for both halves of a page. What reads stored bytes is one source, loaded once per element type and vector
 * width ({@link Specialised}).
 */
final class VectorKernels implements Kernels {
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = FLOATS.length();
    /** Up to so many rows each is a panel of its own: the weights, once in the cache, are then read again for each. */
    private static final int SINGLE_ROWS = Math.min(7, LANES - 1);
    /** Elements of a sum at once, so that 16 KiB of a wide panel stay in the first-level cache for all outputs. */
    private static final int PIECE = 4096 / (2 * LANES);
    /** Elements of a weight row that are widened at once: enough to be read as a stream. */
    private static final int WIDENED = 1024;
    /** Distance between rows of widened weights, a cache line more than they are long. */
    private static final int STRIDE = WIDENED + 16;
    /** Elements that are packed at once, so that a piece of the rows stays in the cache while its lanes are filled. */
    private static final int PACK = 64;

    private final Map<DType, WeightKernel> weights = new EnumMap<>(DType.class);
    private final PairOrder order = new PairOrder(FLOATS);
    private final ScalarKernels scalar = new ScalarKernels();
    private final VectorAttention attention;

    /**
     * @param fused whether compressed pages may be multiplied as they are read
     */
    VectorKernels(boolean fused) {
        attention = new VectorAttention(fused);
        for (DType dtype : DType.values()) {
            weights.put(dtype, Specialised.of(WeightTemplate.class, WeightKernel.class, PairLoad.of(dtype, FLOATS)));
        }
    }

    static BackendStatus status() {
        if (LANES < 4) {
            return new BackendStatus.Unavailable(
                    "the processor's vectors hold " + LANES + " floats", "use --backend scalar");
        }
        return new BackendStatus.Available(FLOATS.vectorBitSize() + "-bit vectors");
    }

    @Override
    public String description() {
        return FLOATS.vectorBitSize() + "-bit vectors";
    }

    @Override
    public float dot(float[] a, int aOffset, float[] b, int bOffset, int count) {
        FloatVector sum = FloatVector.zero(FLOATS);
        FloatVector more = sum;
        int i = 0;
        for (; i + 2 * LANES <= count; i += 2 * LANES) {
            sum = FloatVector.fromArray(FLOATS, a, aOffset + i).fma(FloatVector.fromArray(FLOATS, b, bOffset + i), sum);
            more = FloatVector.fromArray(FLOATS, a, aOffset + i + LANES)
                    .fma(FloatVector.fromArray(FLOATS, b, bOffset + i + LANES), more);
        }
        return sum.add(more).reduceLanes(VectorOperators.ADD) + scalar.dot(a, aOffset + i, b, bOffset + i, count - i);
    }

    @Override
    public void gate(float[] gate, float[] up, int count) {
        int i = 0;
        for (; i + LANES <= count; i += LANES) {
            FloatVector x = FloatVector.fromArray(FLOATS, gate, i);
            // By e^−|x| on either side of zero, which cannot overflow.
            FloatVector e = VectorExp.exp(FLOATS, x.abs().neg());
            FloatVector numerator = x.mul(e).blend(x, x.compare(VectorOperators.GE, 0f));
            numerator.div(e.add(1f)).mul(FloatVector.fromArray(FLOATS, up, i)).intoArray(gate, i);
        }
        for (; i < count; i++) {
            gate[i] = gate[i] / (1f + (float) Math.exp(-gate[i])) * up[i];
        }
    }

    @Override
    public int panelWidth(int rows, int start) {
        if (rows <= SINGLE_ROWS) {
            return 1;
        }
        return rows - start > LANES ? 2 * LANES : LANES;
    }

    @Override
    public void pack(
            float[] x, int[] rowIndex, int first, int rows, int in, int width, float[] panel, int panelOffset) {
        if (width == 1) {
            place(x, rowIndex[first] * in, 0, in, in, 1, panel, panelOffset);
            return;
        }
        int whole = arranged(in);
        for (int from = 0; from < in; from += PACK) {
            int to = Math.min(in, from + PACK);
            for (int r = 0; r < rows; r++) {
                int row = rowIndex[first + r] * in;
                for (int k = from; k < to; k++) {
                    panel[panelOffset + position(k, whole) * width + r] = x[row + k];
                }
            }
        }
    }

    @Override
    public void place(float[] y, int yOffset, int from, int to, int in, int width, float[] panel, int panelOffset) {
        int whole = arranged(in);
        if (width == 1) {
            int pairs = Math.max(from, Math.min(to, whole));
            deinterleave(y, yOffset, pairs - from, panel, panelOffset + from);
            System.arraycopy(y, yOffset + pairs - from, panel, panelOffset + pairs, to - pairs);
            return;
        }
        for (int k = from; k < to; k++) {
            System.arraycopy(y, yOffset + (k - from) * width, panel, panelOffset + position(k, whole) * width, width);
        }
    }

    /** Rows are read as even elements, then odd ones, of two vectors at a time; this many of {@code in}. */
    private static int arranged(int in) {
        return in / (2 * LANES) * (2 * LANES);
    }

    /** Where element k stands in that order. */
    private static int position(int k, int whole) {
        if (k >= whole) {
            return k;
        }
        int within = k & (2 * LANES - 1);
        return k - within + (within >> 1) + (within & 1) * LANES;
    }

    private void deinterleave(float[] from, int fromAt, int count, float[] to, int at) {
        for (int i = 0; i < count; i += 2 * LANES) {
            FloatVector low = FloatVector.fromArray(FLOATS, from, fromAt + i);
            FloatVector high = FloatVector.fromArray(FLOATS, from, fromAt + i + LANES);
            order.even(low, high).intoArray(to, at + i);
            order.odd(low, high).intoArray(to, at + i + LANES);
        }
    }

    @Override
    public void product(Tensor weight, int from, int to, float[] x, int xOffset, int rows, float[] y, Scratch scratch) {
        WeightKernel kernel = kernel(weights, weight.dtype());
        MemorySegment data = weight.data();
        int in = weight.dim(1);
        int room = Kernels.room(to - from);
        if (rows <= SINGLE_ROWS) {
            for (int row = 0; row < rows; row++) {
                kernel.row(data, in, from, to, x, xOffset + row * in, y, row * room);
            }
            return;
        }
        Arrays.fill(y, 0, panelRows(rows) * room, 0f);
        float[] wide = scratch.wide(room * STRIDE);
        for (int k = 0; k < in; k += WIDENED) {
            int end = Math.min(in, k + WIDENED);
            kernel.widen(data, in, from, to, k, end - k, wide, STRIDE);
            for (int piece = k; piece < end; piece += PIECE) {
                int count = Math.min(PIECE, end - piece);
                for (int start = 0, width; start < rows; start += width) {
                    width = panelWidth(rows, start);
                    int at = xOffset + start * in + piece * width;
                    PanelKernel.add(wide, piece - k, STRIDE, room, count, width > LANES, x, at, y, start * room);
                }
            }
        }
    }

    @Override
    public void row(
            DType dtype,
            MemorySegment matrix,
            int in,
            int from,
            int to,
            float[] x,
            int xOffset,
            float[] y,
            Scratch scratch) {
        kernel(weights, dtype).row(matrix, in, from, to, x, xOffset, y, 0);
    }

    private static <T> T kernel(Map<DType, T> kernels, DType dtype) {
        T kernel = kernels.get(dtype);
        if (kernel == null) {
            throw new IllegalStateException("no kernel for " + dtype);
        }
        return kernel;
    }

    @Override
    public void attend(AttentionItem item, Scratch scratch) {
        if (!attention.attend(item, scratch)) {
            scalar.attend(item, scratch);
        }
    }
}
