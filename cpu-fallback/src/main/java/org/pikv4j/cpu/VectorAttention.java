package org.pikv4j.cpu;

import java.util.Arrays;
import java.util.Optional;
import org.pikv4j.attention.AttentionItem;
import org.pikv4j.attention.TokenWeights;
import org.pikv4j.cache.compression.Basis;
import org.pikv4j.cache.storage.Page;
import org.pikv4j.cache.storage.PageLayout;
import org.pikv4j.cpu.Scratch.Use;

/**
 * Attention to pages of any form, page after page with the online softmax. It never leaves the coordinates that a page is
 * stored in: queries are projected once per item, and the weighted sum of values is expanded once per item.
 *
 * <p>Rows and heads of the group, the entries, are the rows of the small products, four at a time and packed ({@link
 * PageKernel}); the last ones are padding.
 */
final class VectorAttention {
    private static final int ROWS = PageKernel.ROWS;

    private final HalfProducts products;

    /**
     * @param fused whether pages may be multiplied as they are read
     */
    VectorAttention(boolean fused) {
        products = new HalfProducts(fused);
    }

    /**
     * @param item what to attend to; its partials are empty
     * @param scratch the worker's buffers
     * @return whether it was done; if not, the partials are empty as before. Four entries share what they multiply: a value
     *     that is not finite would reach those, too, that do not see its token
     */
    boolean attend(AttentionItem item, Scratch scratch) {
        if (item.pageCount() == 0) {
            return true;
        }
        PageLayout layout = item.page(0).layout();
        int entries = item.rows() * item.spec().group();
        int padded = Math.ceilDiv(entries, ROWS) * ROWS;
        HalfProduct<?> keys = products.of(layout.form().keys().codec(), layout.keyShape(), entries, scratch.keys());
        HalfProduct<?> values =
                products.of(layout.form().values().codec(), layout.valueShape(), entries, scratch.values());
        int keyWidth = layout.keyShape().width();
        float[] constants = scratch.of(Use.CONSTANTS, padded); // of the scores: (entry)
        float[] queries = queries(item, layout, padded, constants, scratch); // (entry / 4, keyWidth, 4)
        float[] dots = scratch.of(Use.PRODUCTS, ROWS * keys.columns());
        float[] scores = scratch.of(Use.SCORES, ROWS * keys.columns()); // (token, 4), then probabilities
        float[] outputs = scratch.of(Use.OUTPUTS, padded * values.columns()); // products
        Arrays.fill(outputs, 0, padded * values.columns(), 0f);
        PackedSoftmax softmax = new PackedSoftmax(item, constants);
        Optional<TokenWeights> weights = item.weights();
        for (int p = 0; p < item.pageCount(); p++) {
            Page page = item.page(p);
            boolean open = false;
            for (int e = 0; e < entries; e += ROWS) {
                softmax.turnTo(p, e);
                int from = softmax.from();
                int to = softmax.to();
                if (from >= to) {
                    continue;
                }
                if (!open) {
                    keys.open(page.keys());
                }
                int first = from / keys.grain() * keys.grain();
                int end = Math.min(Math.ceilDiv(to, keys.grain()) * keys.grain(), keys.columns());
                Arrays.fill(dots, ROWS * first, ROWS * end, 0f);
                keys.add(0, keyWidth, first, end, queries, e * keyWidth, dots, 0);
                keys.turn(dots, 0, first, end, scores, 0);
                if (softmax.apply(scores, first, end)) {
                    values.scale(outputs, e * values.columns(), softmax.shrinkage());
                }
                if (weights.isPresent()) {
                    softmax.show(weights.get(), p, scores);
                }
                if (!open) {
                    values.open(page.values()); // only now: a page is read from front to back
                    open = true;
                }
                values.add(from, to, 0, values.columns(), scores, 0, outputs, e * values.columns());
            }
        }
        if (!finite(outputs, padded * values.columns())) {
            item.partials().clear(item.entry(), entries);
            weights.ifPresent(TokenWeights::clear);
            return false;
        }
        finish(item, layout, entries, values, outputs, scratch);
        return true;
    }

    private static boolean finite(float[] values, int count) {
        float sum = 0f;
        for (int i = 0; i < count; i++) {
            sum += values[i] * 0f; // 0, or NaN for ever
        }
        return sum == 0f;
    }

    /** The queries, scaled, in the coordinates of the keys; what is to be added to each score goes to {@code constants}. */
    private float[] queries(AttentionItem item, PageLayout layout, int padded, float[] constants, Scratch scratch) {
        int headDim = layout.headDim();
        int group = item.spec().group();
        float scale = item.spec().scale();
        float[] queries = scratch.of(Use.QUERIES, padded * headDim);
        Optional<Basis> basis = layout.form().keys().basis();
        float[] bias = basis.map(Basis::bias).orElse(new float[0]);
        Arrays.fill(queries, 0, padded * headDim, 0f);
        Arrays.fill(constants, 0, padded, 0f);
        for (int e = 0; e < item.rows() * group; e++) {
            int at = item.queryOffset(e / group) + e % group * headDim;
            int into = e / ROWS * ROWS * headDim + e % ROWS;
            for (int i = 0; i < headDim; i++) {
                queries[into + ROWS * i] = item.queries()[at + i] * scale;
            }
            for (int i = 0; i < bias.length; i++) {
                constants[e] += queries[into + ROWS * i] * bias[i];
            }
        }
        if (basis.isEmpty()) {
            return queries;
        }
        float[] projected = scratch.of(Use.PROJECTED, padded * basis.get().rank());
        for (int e = 0; e < padded; e += ROWS) {
            multiply(
                    queries,
                    e * headDim,
                    headDim,
                    basis.get().up(),
                    basis.get().rank(),
                    projected,
                    e * basis.get().rank(),
                    scratch);
        }
        return projected;
    }

    /** Adds the outputs to the partials, in the model's coordinates. */
    private void finish(
            AttentionItem item,
            PageLayout layout,
            int entries,
            HalfProduct<?> values,
            float[] outputs,
            Scratch scratch) {
        int headDim = layout.headDim();
        int rank = layout.valueShape().width();
        int columns = values.columns();
        Optional<Basis> basis = layout.form().values().basis();
        float[] bias = basis.map(Basis::bias).orElse(new float[0]);
        float[] turned = scratch.of(Use.TURNED, ROWS * columns);
        float[] expanded = scratch.of(Use.EXPANDED, ROWS * headDim);
        float[] sums = item.partials().outputs();
        for (int e = 0; e < entries; e++) {
            if (e % ROWS == 0) {
                values.turn(outputs, e * columns, 0, columns, turned, 0);
                if (basis.isPresent()) {
                    multiply(turned, 0, rank, basis.get().upTransposed(), headDim, expanded, 0, scratch);
                }
            }
            float[] from = basis.isPresent() ? expanded : turned;
            int at = (item.entry() + e) * headDim;
            for (int i = 0; i < headDim; i++) {
                sums[at + i] += from[ROWS * i + e % ROWS];
            }
            float probability = item.partials().sums()[item.entry() + e];
            for (int i = 0; i < bias.length; i++) {
                sums[at + i] += bias[i] * probability;
            }
        }
    }

    /** out = a · m, (4, inner) · (inner, columns), a and out packed. */
    private void multiply(
            float[] a, int aOffset, int inner, float[] m, int columns, float[] out, int outOffset, Scratch scratch) {
        Optional<PageKernel<float[]>> kernel = products.arrays(columns);
        if (kernel.isPresent()) {
            float[] y = scratch.of(Use.PRODUCTS, ROWS * columns);
            Arrays.fill(y, 0, ROWS * columns, 0f);
            kernel.get().add(m, 0, 0, inner, 0, columns, a, aOffset, PageKernel.NOT_SCALED, y, 0);
            kernel.get().turn(y, 0, 0, columns, out, outOffset);
            return;
        }
        Arrays.fill(out, outOffset, outOffset + ROWS * columns, 0f);
        for (int i = 0; i < inner; i++) {
            for (int c = 0; c < columns; c++) {
                for (int r = 0; r < ROWS; r++) {
                    out[outOffset + ROWS * c + r] += a[aOffset + ROWS * i + r] * m[i * columns + c];
                }
            }
        }
    }
}
