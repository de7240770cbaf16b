package org.pikv4j.cpu;

import org.pikv4j.attention.AttentionItem;
import org.pikv4j.attention.Partials;
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
    public boolean arranges(DType dtype) {
        return false;
    }

    @Override
    public void arrange(DType dtype, float[] x, int xOffset, int count, float[] out, int outOffset) {
        System.arraycopy(x, xOffset, out, outOffset, count);
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
        int in = weight.dim(1);
        DType dtype = weight.dtype();
        float[] w = new float[in];
        for (int o = from; o < to; o++) {
            dtype.read(weight.data(), (long) o * in * dtype.bytes(), w, 0, in);
            for (int i = 0; i < rows; i++) {
                y[yOffset + i * yStride + o - from] = dot(w, 0, x, rowIndex[first + i] * in, in);
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
            float[] keys = scratch.first(layout.tokens() * headDim); // (headDim, token)
            float[] values = scratch.second(layout.tokens() * headDim); // (token, headDim)
            float[] scores = scratch.third(layout.tokens());
            layout.form().decodeKeys(page.keys(), layout.tokens(), headDim, keys);
            layout.form().decodeValues(page.values(), layout.tokens(), headDim, values);
            for (int r = 0; r < item.rows(); r++) {
                int from = item.from(p, r);
                int to = item.to(p, r);
                for (int g = 0; from < to && g < group; g++) {
                    int query = item.queryOffset(r) + g * headDim;
                    for (int t = from; t < to; t++) {
                        float sum = 0f;
                        for (int d = 0; d < headDim; d++) {
                            sum += item.queries()[query + d] * keys[d * layout.tokens() + t];
                        }
                        scores[t] = sum * item.spec().scale();
                    }
                    fold(item.partials(), item.entry() + r * group + g, scores, values, from, to, headDim);
                }
            }
        }
    }

    /** Adds the tokens of a page to a partial: the online softmax. */
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
            sum += p;
            for (int d = 0; d < headDim; d++) {
                out[at + d] += p * values[t * headDim + d];
            }
        }
        partials.maxima()[entry] = max;
        partials.sums()[entry] = sum;
    }
}
