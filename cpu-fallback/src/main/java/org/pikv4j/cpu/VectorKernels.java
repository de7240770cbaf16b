package org.pikv4j.cpu;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;
import org.jspecify.annotations.Nullable;
import org.pikv4j.attention.AttentionItem;
import org.pikv4j.attention.Partials;
import org.pikv4j.backend.BackendStatus;
import org.pikv4j.cache.compression.ExactForm;
import org.pikv4j.cache.storage.Page;
import org.pikv4j.cache.storage.PageLayout;
import org.pikv4j.tensor.DType;
import org.pikv4j.tensor.Tensor;

/**
 * The kernels on the Vector API. Two micro-kernels carry everything: {@link DotKernel}, whose lanes run along the sum, for
 * weights (out, in); and {@link PageKernel}, whose lanes run along the outputs, for both halves of a page. Each is one
 * source, loaded once per element type and vector width ({@link Specialised}).
 */
final class VectorKernels implements Kernels {
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = FLOATS.length();
    private static final VectorShuffle<Float> EVEN = VectorShuffle.fromOp(FLOATS, i -> 2 * i);
    private static final VectorShuffle<Float> ODD = VectorShuffle.fromOp(FLOATS, i -> 2 * i + 1);
    /** Rows that a {@link PageKernel} computes at once. */
    private static final int ROWS = 4;

    private final Map<DType, DotKernel> dots = new EnumMap<>(DType.class);
    private final Map<DType, List<PageKernel>> pages = new EnumMap<>(DType.class); // widest first
    private final ScalarKernels scalar = new ScalarKernels();

    VectorKernels() {
        List<VectorSpecies<Float>> widths =
                List.of(FloatVector.SPECIES_512, FloatVector.SPECIES_256, FloatVector.SPECIES_128);
        for (DType dtype : DType.values()) {
            dots.put(dtype, Specialised.of(DotTemplate.class, DotKernel.class, PairLoad.of(dtype, FLOATS)));
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
    public boolean arranges(DType dtype) {
        return dtype != DType.F32;
    }

    @Override
    public void arrange(DType dtype, float[] x, int xOffset, int count, float[] out, int outOffset) {
        int whole = arranges(dtype) ? count / (2 * LANES) * (2 * LANES) : 0;
        for (int i = 0; i < whole; i += 2 * LANES) {
            FloatVector low = FloatVector.fromArray(FLOATS, x, xOffset + i);
            FloatVector high = FloatVector.fromArray(FLOATS, x, xOffset + i + LANES);
            low.rearrange(EVEN, high).intoArray(out, outOffset + i);
            low.rearrange(ODD, high).intoArray(out, outOffset + i + LANES);
        }
        System.arraycopy(x, xOffset + whole, out, outOffset + whole, count - whole);
    }

    @Override
    public void product(
            Tensor weight,
            int from,
            int to,
            float[] x,
            int[] rowIndex,
            int first,
            int rows,
            float[] y,
            int yOffset,
            int yStride) {
        kernel(dots, weight.dtype())
                .product(weight.data(), weight.dim(1), from, to, x, rowIndex, first, rows, y, yOffset, yStride);
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
        if (layout.form() instanceof ExactForm(DType dtype)) {
            keyKernel = pageKernel(dtype, layout.tokens());
            valueKernel = pageKernel(dtype, layout.headDim());
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
        float[] sums = scratch.third(ROWS * headDim); // (row, headDim)
        for (int r = 0; r < item.rows(); r++) {
            int at = item.queryOffset(r);
            for (int i = 0; i < group * headDim; i++) {
                queries[r * group * headDim + i] =
                        item.queries()[at + i] * item.spec().scale();
            }
        }
        Arrays.fill(queries, entries * headDim, padded * headDim, 0f);
        Arrays.fill(scores, entries * tokens, padded * tokens, 0f);
        for (int p = 0; p < item.pageCount(); p++) {
            Page page = item.page(p);
            for (int e = 0; e < entries; e += ROWS) {
                int last = Math.min(e + ROWS, entries) - 1;
                int from = item.from(p, e / group);
                int to = item.to(p, last / group);
                if (from >= to) {
                    continue;
                }
                int step = keyKernel.step();
                keyKernel.product(
                        page.keys(),
                        tokens,
                        0,
                        headDim,
                        from / step * step,
                        Math.ceilDiv(to, step) * step,
                        queries,
                        e * headDim,
                        headDim,
                        scores,
                        e * tokens,
                        tokens);
                for (int i = e; i <= last; i++) {
                    softmax(item, i, item.from(p, i / group), item.to(p, i / group), from, to, scores, i * tokens);
                }
                valueKernel.product(
                        page.values(), headDim, from, to, 0, headDim, scores, e * tokens, tokens, sums, 0, headDim);
                for (int i = e; i <= last; i++) {
                    add(sums, (i - e) * headDim, item.partials().outputs(), (item.entry() + i) * headDim, headDim);
                }
            }
        }
    }

    /**
     * Turns the scores [low, high) of one entry into e^(score − m), m the largest so far, and what the other rows of four
     * see, [from, to), into 0; rescales what was summed before.
     */
    private static void softmax(
            AttentionItem item, int index, int low, int high, int from, int to, float[] scores, int at) {
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
            int headDim = item.spec().headDim();
            scale(partials.outputs(), entry * headDim, headDim, shrink);
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

    private static void add(float[] from, int fromAt, float[] into, int at, int count) {
        for (int i = 0; i < count; i++) {
            into[at + i] += from[fromAt + i];
        }
    }

    private static void scale(float[] values, int at, int count, float factor) {
        for (int i = 0; i < count; i++) {
            values[at + i] *= factor;
        }
    }
}
