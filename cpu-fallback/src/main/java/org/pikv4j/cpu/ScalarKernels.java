package org.pikv4j.cpu;

import java.lang.foreign.MemorySegment;
import org.pikv4j.attention.AttentionItem;
import org.pikv4j.attention.Partials;
import org.pikv4j.attention.TokenWeights;
import org.pikv4j.cache.storage.Page;
import org.pikv4j.cache.storage.PageLayout;
import org.pikv4j.tensor.DType;
import org.pikv4j.tensor.Tensor;

/** The kernels as one would write them down: the oracle of all others, and what runs where the Vector API is missing. */
final class ScalarKernels implements Kernels {

    @Override
    public String description() {
        return "plain Java loops";
    }

    @Override
    public float dot(float[] a, int aOffset, float[] b, int bOffset, int count) {
        float sum = 0f;
        for (int i = 0; i < count; i++) {
            sum += a[aOffset + i] * b[bOffset + i];
        }
        return sum;
    }

    @Override
    public void gate(float[] gate, float[] up, int count) {
        for (int i = 0; i < count; i++) {
            gate[i] = gate[i] / (1f + (float) Math.exp(-gate[i])) * up[i];
        }
    }

    @Override
    public int panelWidth(int rows, int start) {
        return 1;
    }

    @Override
    public void pack(
            float[] x, int[] rowIndex, int first, int rows, int in, int width, float[] panel, int panelOffset) {
        System.arraycopy(x, rowIndex[first] * in, panel, panelOffset, in);
    }

    @Override
    public void place(float[] y, int yOffset, int from, int to, int in, int width, float[] panel, int panelOffset) {
        System.arraycopy(y, yOffset, panel, panelOffset + from, to - from);
    }

    @Override
    public void product(Tensor weight, int from, int to, float[] x, int xOffset, int rows, float[] y, Scratch scratch) {
        int room = Kernels.room(to - from);
        multiply(weight.dtype(), weight.data(), weight.dim(1), from, to, x, xOffset, rows, y, room, scratch);
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
        multiply(dtype, matrix, in, from, to, x, xOffset, 1, y, to - from, scratch);
    }

    private void multiply(
            DType dtype,
            MemorySegment matrix,
            int in,
            int from,
            int to,
            float[] x,
            int xOffset,
            int rows,
            float[] y,
            int room,
            Scratch scratch) {
        float[] w = scratch.wide(in);
        for (int o = from; o < to; o++) {
            dtype.read(matrix, (long) o * in * dtype.bytes(), w, 0, in);
            for (int row = 0; row < rows; row++) {
                y[row * room + o - from] = dot(w, 0, x, xOffset + row * in, in);
            }
        }
    }

    @Override
    public void attend(AttentionItem item, Scratch scratch) {
        int group = item.spec().group();
        int headDim = item.spec().headDim();
        for (int p = 0; p < item.pageCount(); p++) {
            Page page = item.page(p);
            PageLayout layout = page.layout();
            float[] keys = scratch.first(layout.tokens() * headDim); // (token, headDim)
            float[] values = scratch.second(layout.tokens() * headDim); // (token, headDim)
            float[] scores = scratch.third(layout.tokens());
            layout.form().keys().decode(layout.keyShape(), page.keys(), headDim, keys);
            layout.form().values().decode(layout.valueShape(), page.values(), headDim, values);
            for (int r = 0; r < item.rows(); r++) {
                int from = item.from(p, r);
                int to = item.to(p, r);
                for (int g = 0; from < to && g < group; g++) {
                    int query = item.queryOffset(r) + g * headDim;
                    for (int t = from; t < to; t++) {
                        float sum = 0f;
                        for (int d = 0; d < headDim; d++) {
                            sum += item.queries()[query + d] * keys[t * headDim + d];
                        }
                        scores[t] = sum * item.spec().scale();
                    }
                    int entry = r * group + g;
                    fold(item.partials(), item.entry() + entry, scores, values, from, to, headDim);
                    if (item.weights().isPresent()) {
                        TokenWeights weights = item.weights().get();
                        weights.maximum(p, entry, item.partials().maxima()[item.entry() + entry]);
                        for (int t = from; t < to; t++) {
                            weights.put(p, entry, t, scores[t]);
                        }
                    }
                }
            }
        }
    }

    /** Adds the tokens of a page to a partial: the online softmax. Scores become e^(score − largest so far). */
    private static void fold(
            Partials partials, int entry, float[] scores, float[] values, int from, int to, int headDim) {
        float before = partials.maxima()[entry];
        float max = before;
        for (int t = from; t < to; t++) {
            max = Math.max(max, scores[t]);
        }
        float shrink = (float) Math.exp(before - max);
        float[] out = partials.outputs();
        int at = entry * headDim;
        for (int d = 0; d < headDim; d++) {
            out[at + d] *= shrink;
        }
        float sum = partials.sums()[entry] * shrink;
        for (int t = from; t < to; t++) {
            float p = (float) Math.exp(scores[t] - max);
            scores[t] = p;
            sum += p;
            for (int d = 0; d < headDim; d++) {
                out[at + d] += p * values[t * headDim + d];
            }
        }
        partials.maxima()[entry] = max;
        partials.sums()[entry] = sum;
    }
}
