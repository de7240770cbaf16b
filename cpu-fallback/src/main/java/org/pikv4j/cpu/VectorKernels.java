package org.pikv4j.cpu;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.jspecify.annotations.Nullable;
import org.pikv4j.attention.AttentionItem;
import org.pikv4j.attention.Partials;
import org.pikv4j.backend.BackendStatus;
import org.pikv4j.cache.compression.ExactCodec;
import org.pikv4j.cache.storage.Page;
import org.pikv4j.cache.storage.PageLayout;
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
    /** Rows that a {@link PageKernel} computes at once. */
    private static final int ROWS = 4;

    private final Map<DType, WeightKernel> weights = new EnumMap<>(DType.class);
    private final Map<DType, List<PageKernel>> pages = new EnumMap<>(DType.class); // widest first
    private final PairOrder order = new PairOrder(FLOATS);
    private final ScalarKernels scalar = new ScalarKernels();

    VectorKernels() {
        List<VectorSpecies<Float>> widths =
                List.of(FloatVector.SPECIES_512, FloatVector.SPECIES_256, FloatVector.SPECIES_128);
        for (DType dtype : DType.values()) {
            weights.put(dtype, Specialised.of(WeightTemplate.class, WeightKernel.class, PairLoad.of(dtype, FLOATS)));
            pages.put(
                    dtype,
                    widths.stream()
                            .filter(species -> species.length() <= LANES)
                            .map(species ->
                                    Specialised.of(PageTemplate.class, PageKernel.class, PairLoad.of(dtype, species)))
                            .toList());
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

    private static <T> T kernel(Map<DType, T> kernels, DType dtype) {
        T kernel = kernels.get(dtype);
        if (kernel == null) {
            throw new IllegalStateException("no kernel for " + dtype);
        }
        return kernel;
    }

    /** The widest kernel whose step divides the columns. */
    private @Nullable PageKernel pageKernel(DType dtype, int columns) {
        for (PageKernel kernel : kernel(pages, dtype)) {
            if (columns % kernel.step() == 0) {
                return kernel;
            }
        }
        return null;
    }

    @Override
    public void attend(AttentionItem item, Scratch scratch) {
        if (item.pageCount() == 0) {
            return;
        }
        PageLayout layout = item.page(0).layout();
        PageKernel keyKernel = null;
        PageKernel valueKernel = null;
        if (layout.form().appendable()
                && layout.form().keys().codec() instanceof ExactCodec(DType keys)
                && layout.form().values().codec() instanceof ExactCodec(DType values)) {
            keyKernel = pageKernel(keys, layout.tokens());
            valueKernel = pageKernel(values, layout.headDim());
        }
        if (keyKernel == null || valueKernel == null) {
            scalar.attend(item, scratch);
        } else {
            attend(item, layout, keyKernel, valueKernel, scratch);
        }
    }

    /** Rows and heads of the group are the rows of the small products, four at a time; the last ones are padding. */
    private static void attend(
            AttentionItem item, PageLayout layout, PageKernel keyKernel, PageKernel valueKernel, Scratch scratch) {
        int group = item.spec().group();
        int headDim = layout.headDim();
        int tokens = layout.tokens();
        int entries = item.rows() * group;
        int padded = Math.ceilDiv(entries, ROWS) * ROWS;
        float[] queries = scratch.first(padded * headDim); // scaled: (entry, headDim)
        float[] scores = scratch.second(padded * tokens); // then probabilities: (entry, token)
        float[] outputs = scratch.third(padded * headDim); // (entry, headDim), in the order of the value kernel
        for (int r = 0; r < item.rows(); r++) {
            int at = item.queryOffset(r);
            for (int i = 0; i < group * headDim; i++) {
                queries[r * group * headDim + i] =
                        item.queries()[at + i] * item.spec().scale();
            }
        }
        Arrays.fill(queries, entries * headDim, padded * headDim, 0f);
        Arrays.fill(outputs, 0, padded * headDim, 0f);
        int step = keyKernel.step();
        for (int p = 0; p < item.pageCount(); p++) {
            Page page = item.page(p);
            for (int e = 0; e < entries; e += ROWS) {
                int last = Math.min(e + ROWS, entries) - 1;
                int from = item.from(p, e / group);
                int to = item.to(p, last / group);
                if (from >= to) {
                    continue;
                }
                int first = from / step * step;
                int end = Math.ceilDiv(to, step) * step;
                int at = e * tokens;
                Arrays.fill(scores, at, at + ROWS * tokens, 0f);
                keyKernel.add(
                        page.keys(), tokens, 0, headDim, first, end, queries, e * headDim, headDim, scores, at, tokens);
                for (int i = e; i <= last; i++) {
                    keyKernel.restore(scores, i * tokens + first, end - first);
                    int low = item.from(p, i / group);
                    int high = item.to(p, i / group);
                    softmax(item, i, low, high, from, to, scores, i * tokens, outputs, i * headDim);
                }
                valueKernel.add(
                        page.values(),
                        headDim,
                        from,
                        to,
                        0,
                        headDim,
                        scores,
                        at,
                        tokens,
                        outputs,
                        e * headDim,
                        headDim);
            }
        }
        for (int e = 0; e < entries; e++) {
            valueKernel.restore(outputs, e * headDim, headDim);
        }
        add(outputs, item.partials().outputs(), item.entry() * headDim, entries * headDim);
    }

    /**
     * Turns the scores [low, high) of one entry into e^(score − m), m the largest so far, and what the other rows of four
     * see, [from, to), into 0; rescales the outputs summed before.
     */
    private static void softmax(
            AttentionItem item,
            int index,
            int low,
            int high,
            int from,
            int to,
            float[] scores,
            int at,
            float[] outputs,
            int outputAt) {
        if (low >= high) {
            Arrays.fill(scores, at + from, at + to, 0f);
            return;
        }
        Partials partials = item.partials();
        int entry = item.entry() + index;
        float before = partials.maxima()[entry];
        float max = Math.max(before, max(scores, at + low, at + high));
        if (max > before) {
            float shrink = (float) Math.exp(before - max);
            partials.maxima()[entry] = max;
            partials.sums()[entry] *= shrink;
            scale(outputs, outputAt, item.spec().headDim(), shrink);
        }
        partials.sums()[entry] += exponentials(scores, at + low, at + high, max);
        Arrays.fill(scores, at + from, at + low, 0f);
        Arrays.fill(scores, at + high, at + to, 0f);
    }

    private static float max(float[] values, int from, int to) {
        FloatVector max = FloatVector.broadcast(FLOATS, Partials.NO_MAXIMUM);
        int i = from;
        for (; i + LANES <= to; i += LANES) {
            max = max.max(FloatVector.fromArray(FLOATS, values, i));
        }
        float result = max.reduceLanes(VectorOperators.MAX);
        for (; i < to; i++) {
            result = Math.max(result, values[i]);
        }
        return result;
    }

    private static float exponentials(float[] values, int from, int to, float max) {
        FloatVector sum = FloatVector.zero(FLOATS);
        int i = from;
        for (; i + LANES <= to; i += LANES) {
            FloatVector e = VectorExp.exp(
                    FLOATS, FloatVector.fromArray(FLOATS, values, i).sub(max));
            e.intoArray(values, i);
            sum = sum.add(e);
        }
        float result = sum.reduceLanes(VectorOperators.ADD);
        for (; i < to; i++) {
            values[i] = (float) Math.exp(values[i] - max);
            result += values[i];
        }
        return result;
    }

    private static void add(float[] from, float[] into, int at, int count) {
        for (int i = 0; i < count; i++) {
            into[at + i] += from[i];
        }
    }

    private static void scale(float[] values, int at, int count, float factor) {
        for (int i = 0; i < count; i++) {
            values[at + i] *= factor;
        }
    }
}
