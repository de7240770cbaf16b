package org.pikv4j.bench.compression;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import org.pikv4j.attention.Partials;
import org.pikv4j.cache.compression.FormChoice;
import org.pikv4j.cache.compression.HalfForm;
import org.pikv4j.cache.compression.HalfShape;
import org.pikv4j.cache.storage.PageLayout;
import org.pikv4j.model.AttentionSpec;

/**
 * What a form does to one text's keys, values and attention. All errors are relative: the root of the squared differences
 * over the root of the squares, over all layers and heads. A query sees the newest {@link #EXACT} tokens, the first {@link
 * #SINKS} and pages that are not full exactly.
 *
 * @param bytesPerToken bytes of full pages per token, all layers and heads, as the allocator counts them
 * @param payloadBytesPerToken the same without the padding of pages
 * @param keys error of the keys
 * @param values error of the values
 * @param scores error of q·k, of tokens that are not exact
 * @param output error of the attention output
 * @param encodeNanosPerToken time to encode a token, all layers and heads, one thread
 */
record FormErrors(
        double bytesPerToken,
        double payloadBytesPerToken,
        double keys,
        double values,
        double scores,
        double output,
        double encodeNanosPerToken) {

    /** Newest tokens that stay exact. */
    static final int EXACT = 32;

    /** First tokens that stay exact. */
    static final int SINKS = 4;

    /** Queries that are tried, evenly spread. */
    private static final int QUERIES = 256;

    static FormErrors of(FormChoice forms, List<Capture.Layer> layers, int pageTokens) {
        Sums sums = new Sums();
        for (int l = 0; l < layers.size(); l++) {
            AttentionSpec spec = layers.get(l).spec();
            for (int head = 0; head < spec.kvHeads(); head++) {
                PageLayout page = new PageLayout(forms.form(l, head, spec.headDim()), pageTokens, spec.headDim());
                new Head(layers.get(l), head, page, sums).measure();
            }
        }
        return new FormErrors(
                sums.bytes,
                sums.payload,
                sums.keys.relative(),
                sums.values.relative(),
                sums.scores.relative(),
                sums.output.relative(),
                sums.encodeNanos);
    }

    private static final class Sums {
        final Deviation keys = new Deviation();
        final Deviation values = new Deviation();
        final Deviation scores = new Deviation();
        final Deviation output = new Deviation();
        double bytes;
        double payload;
        double encodeNanos;
    }

    private static final class Deviation {
        private double squares;
        private double differences;

        void add(double exact, double held) {
            squares += exact * exact;
            differences += (held - exact) * (held - exact);
        }

        double relative() {
            return squares == 0 ? 0 : Math.sqrt(differences / squares);
        }
    }

    /** One KV head. */
    private static final class Head {
        private final Capture.Layer layer;
        private final int head;
        private final PageLayout page;
        private final Sums sums;
        private final int headDim;
        private final float[] keys; // (token, headDim)
        private final float[] values;
        private final float[] heldKeys;
        private final float[] heldValues;
        private int encoded; // tokens

        Head(Capture.Layer layer, int head, PageLayout page, Sums sums) {
            this.layer = layer;
            this.head = head;
            this.page = page;
            this.sums = sums;
            this.headDim = layer.spec().headDim();
            this.keys = rows(layer.keys());
            this.values = rows(layer.values());
            this.heldKeys = keys.clone();
            this.heldValues = values.clone();
        }

        private float[] rows(float[] all) {
            float[] rows = new float[layer.tokens() * headDim];
            for (int t = 0; t < layer.tokens(); t++) {
                System.arraycopy(all, t * layer.spec().kvWidth() + head * headDim, rows, t * headDim, headDim);
            }
            return rows;
        }

        void measure() {
            long nanos = 0;
            for (int at = 0; at + page.tokens() <= layer.tokens(); at += page.tokens()) {
                nanos += encode(page.form().keys(), page.keyShape(), page.keyBytes(), keys, heldKeys, at);
                nanos += encode(page.form().values(), page.valueShape(), page.valueBytes(), values, heldValues, at);
                encoded = at + page.tokens();
            }
            sums.encodeNanos += (double) nanos / encoded;
            sums.bytes += (double) page.pageBytes() / page.tokens();
            sums.payload += (double) page.payloadBytes() / page.tokens();
            for (int i = 0; i < encoded * headDim; i++) {
                sums.keys.add(keys[i], heldKeys[i]);
                sums.values.add(values[i], heldValues[i]);
            }
            System.arraycopy(keys, 0, heldKeys, 0, SINKS * headDim);
            System.arraycopy(values, 0, heldValues, 0, SINKS * headDim);
            int step = Math.max(1, layer.tokens() / QUERIES);
            for (int position = EXACT; position < layer.tokens(); position += step) {
                for (int g = 0; g < layer.spec().group(); g++) {
                    query(position, g);
                }
            }
        }

        private long encode(HalfForm form, HalfShape shape, int bytes, float[] rows, float[] held, int at) {
            float[] piece = Arrays.copyOfRange(rows, at * headDim, (at + page.tokens()) * headDim);
            MemorySegment half = MemorySegment.ofArray(new byte[bytes]);
            long started = System.nanoTime();
            boolean encodable = form.encode(shape, piece, headDim, half);
            long nanos = System.nanoTime() - started;
            if (encodable) {
                form.decode(shape, half, headDim, piece);
            } // or else the page stays as it is
            System.arraycopy(piece, 0, held, at * headDim, piece.length);
            return nanos;
        }

        private void query(int position, int g) {
            AttentionSpec spec = layer.spec();
            int at = position * spec.queryWidth() + (head * spec.group() + g) * headDim;
            int from = (int) Math.max(0, (long) position - spec.window() + 1);
            int held = Math.clamp(position - EXACT + 1, from, Math.max(from, encoded));
            double[] exact = new double[headDim];
            double[] approximate = new double[headDim];
            float[] scores = new float[position + 1];
            float[] heldScores = new float[position + 1];
            for (int t = from; t <= position; t++) {
                scores[t] = dot(at, keys, t) * spec.scale();
                heldScores[t] = t < held ? dot(at, heldKeys, t) * spec.scale() : scores[t];
                if (t < held) {
                    sums.scores.add(scores[t], heldScores[t]);
                }
            }
            attend(scores, from, position, values, position, exact);
            attend(heldScores, from, position, heldValues, held, approximate);
            for (int d = 0; d < headDim; d++) {
                sums.output.add(exact[d], approximate[d]);
            }
        }

        private float dot(int query, float[] rows, int token) {
            float sum = 0f;
            for (int d = 0; d < headDim; d++) {
                sum += layer.queries()[query + d] * rows[token * headDim + d];
            }
            return sum;
        }

        /** The softmax of scores times rows, exact values from a token on. */
        private void attend(float[] scores, int from, int to, float[] rows, int exactFrom, double[] out) {
            float max = Partials.NO_MAXIMUM;
            for (int t = from; t <= to; t++) {
                max = Math.max(max, scores[t]);
            }
            double total = 0;
            for (int t = from; t <= to; t++) {
                double p = Math.exp(scores[t] - max);
                total += p;
                float[] source = t < exactFrom ? rows : values;
                for (int d = 0; d < headDim; d++) {
                    out[d] += p * source[t * headDim + d];
                }
            }
            for (int d = 0; d < headDim; d++) {
                out[d] /= total;
            }
        }
    }
}
