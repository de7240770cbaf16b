package org.pikv4j.cpu;

import java.util.Arrays;
import java.util.Optional;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.pikv4j.attention.AttentionItem;
import org.pikv4j.attention.Partials;
import org.pikv4j.cache.compression.Basis;
import org.pikv4j.cache.storage.Page;
import org.pikv4j.cache.storage.PageLayout;
import org.pikv4j.cpu.Scratch.Use;

/**
 * Attention to pages of any form, page after page with the online softmax. It never leaves the coordinates that a page is
 * stored in: queries are projected once per item, and the weighted sum of values is expanded once per item.
 *
 * <p>Rows and heads of the group are the rows of the small products, four at a time; the last ones are padding.
 */
final class VectorAttention {
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = FLOATS.length();
    private static final int ROWS = PageKernel.ROWS;

    private final HalfProducts products = new HalfProducts();

    void attend(AttentionItem item, Scratch scratch) {
        if (item.pageCount() == 0) {
            return;
        }
        PageLayout layout = item.page(0).layout();
        int group = item.spec().group();
        int tokens = layout.tokens();
        int entries = item.rows() * group;
        int padded = Math.ceilDiv(entries, ROWS) * ROWS;
        HalfProduct keys = products.of(layout.form().keys().codec(), layout.keyShape(), entries, scratch.keys());
        HalfProduct values =
                products.of(layout.form().values().codec(), layout.valueShape(), entries, scratch.values());
        int keyWidth = layout.keyShape().width();
        float[] constants = scratch.of(Use.CONSTANTS, padded); // of the scores: (entry)
        float[] queries = queries(item, layout, padded, constants, scratch); // (entry, keyWidth)
        float[] scores = scratch.of(Use.SCORES, padded * tokens); // then probabilities: (entry, token)
        int width = values.width();
        float[] outputs = scratch.of(Use.OUTPUTS, padded * width); // in the order of the values' kernel
        Arrays.fill(outputs, 0, padded * width, 0f);
        int grain = keys.grain();
        for (int p = 0; p < item.pageCount(); p++) {
            Page page = item.page(p);
            boolean open = false;
            for (int e = 0; e < entries; e += ROWS) {
                int last = Math.min(e + ROWS, entries) - 1;
                int from = item.from(p, e / group);
                int to = item.to(p, last / group);
                if (from >= to) {
                    continue;
                }
                if (!open) {
                    keys.open(page.keys());
                }
                int first = from / grain * grain;
                int end = Math.min(Math.ceilDiv(to, grain) * grain, tokens);
                int at = e * tokens;
                for (int i = e; i < e + ROWS; i++) {
                    Arrays.fill(scores, i * tokens + first, i * tokens + end, constants[i]);
                }
                keys.add(0, keyWidth, first, end, queries, e * keyWidth, keyWidth, scores, at, tokens);
                for (int i = e; i <= last; i++) {
                    keys.restore(scores, i * tokens + first, end - first);
                    int low = item.from(p, i / group);
                    int high = item.to(p, i / group);
                    softmax(item, i, low, high, from, to, scores, i * tokens, outputs, i * width, width);
                }
                if (!open) {
                    values.open(page.values()); // only now: a page is read from front to back
                    open = true;
                }
                values.add(from, to, 0, width, scores, at, tokens, outputs, e * width, width);
            }
        }
        for (int e = 0; e < entries; e++) {
            values.restore(outputs, e * width, width);
        }
        finish(item, layout, entries, padded, outputs, width, scratch);
    }

    /** The queries, scaled, in the coordinates of the keys; what is to be added to each score goes to {@code constants}. */
    private float[] queries(AttentionItem item, PageLayout layout, int padded, float[] constants, Scratch scratch) {
        int headDim = layout.headDim();
        int perRow = item.spec().group() * headDim;
        float[] queries = scratch.of(Use.QUERIES, padded * headDim);
        for (int r = 0; r < item.rows(); r++) {
            int at = item.queryOffset(r);
            for (int i = 0; i < perRow; i++) {
                queries[r * perRow + i] = item.queries()[at + i] * item.spec().scale();
            }
        }
        Arrays.fill(queries, item.rows() * perRow, padded * headDim, 0f);
        Arrays.fill(constants, 0, padded, 0f);
        Optional<Basis> basis = layout.form().keys().basis();
        if (basis.isEmpty()) {
            return queries;
        }
        float[] bias = basis.get().bias();
        for (int e = 0; bias.length > 0 && e < padded; e++) {
            for (int i = 0; i < headDim; i++) {
                constants[e] += queries[e * headDim + i] * bias[i];
            }
        }
        int rank = basis.get().rank();
        float[] projected = scratch.of(Use.PROJECTED, padded * rank);
        multiply(queries, padded, headDim, basis.get().up(), rank, projected);
        return projected;
    }

    /** Adds the outputs to the partials, in the model's coordinates. */
    private void finish(
            AttentionItem item,
            PageLayout layout,
            int entries,
            int padded,
            float[] outputs,
            int width,
            Scratch scratch) {
        int headDim = layout.headDim();
        int rank = layout.valueShape().width();
        float[] sums = item.partials().outputs();
        Optional<Basis> basis = layout.form().values().basis();
        if (basis.isEmpty()) {
            for (int e = 0; e < entries; e++) {
                add(outputs, e * width, sums, (item.entry() + e) * headDim, headDim);
            }
            return;
        }
        for (int e = 1; width > rank && e < padded; e++) {
            System.arraycopy(outputs, e * width, outputs, e * rank, rank);
        }
        float[] expanded = scratch.of(Use.EXPANDED, padded * headDim);
        multiply(outputs, padded, rank, basis.get().upTransposed(), headDim, expanded);
        float[] bias = basis.get().bias();
        for (int e = 0; e < entries; e++) {
            float probability = item.partials().sums()[item.entry() + e];
            for (int i = 0; i < bias.length; i++) {
                expanded[e * headDim + i] += bias[i] * probability;
            }
            add(expanded, e * headDim, sums, (item.entry() + e) * headDim, headDim);
        }
    }

    /** out = a · m, (rows, inner) · (inner, columns). */
    private void multiply(float[] a, int rows, int inner, float[] m, int columns, float[] out) {
        Arrays.fill(out, 0, rows * columns, 0f);
        Optional<PageKernel<float[]>> kernel = products.arrays(columns);
        if (kernel.isPresent()) {
            for (int r = 0; r < rows; r += ROWS) {
                kernel.get().add(m, 0, columns, 0, inner, 0, columns, a, r * inner, inner, out, r * columns, columns);
            }
            return;
        }
        for (int r = 0; r < rows; r++) {
            for (int i = 0; i < inner; i++) {
                float f = a[r * inner + i];
                for (int c = 0; c < columns; c++) {
                    out[r * columns + c] += f * m[i * columns + c];
                }
            }
        }
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
            int outputAt,
            int width) {
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
            scale(outputs, outputAt, width, shrink);
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
