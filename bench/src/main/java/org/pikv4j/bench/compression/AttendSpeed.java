package org.pikv4j.bench.compression;

import java.util.Arrays;
import java.util.Collections;
import java.util.Optional;
import java.util.SplittableRandom;
import org.pikv4j.attention.AttentionPlan;
import org.pikv4j.attention.Partials;
import org.pikv4j.backend.Backend;
import org.pikv4j.cache.compression.FormChoice;
import org.pikv4j.cache.storage.CacheLayout;
import org.pikv4j.cache.storage.PagePool;
import org.pikv4j.cache.storage.Residual;
import org.pikv4j.cache.storage.SequenceCache;
import org.pikv4j.model.AttentionSpec;

/** How long one query takes over pages of a form, in one layer. */
final class AttendSpeed implements AutoCloseable {
    private static final int FILL_ROWS = 256;
    /** All layers together are larger than a processor's caches. */
    private static final long WORKING_SET_ELEMENTS = 16L << 20;

    private static final int MOST_LAYERS = 64;
    private static final int BATCHES = 7;
    private static final long BATCH_NANOS = 60_000_000;

    private final Backend backend;
    private final AttentionSpec spec;
    private final int tokens;
    private final PagePool pool;
    private final SequenceCache sequence;
    private final Partials partials;
    private final float[] queries;
    private final float[] out;
    private int next;

    /**
     * @param backend computes
     * @param spec the layer's attention
     * @param forms the form of layer 0 is taken
     * @param tokens tokens attended to
     * @param pageTokens tokens per page
     */
    AttendSpeed(Backend backend, AttentionSpec spec, FormChoice forms, int tokens, int pageTokens) {
        this.backend = backend;
        this.spec = spec;
        this.tokens = tokens;
        this.partials = new Partials(spec.headDim());
        SplittableRandom random = new SplittableRandom(1);
        this.queries = normal(random, spec.queryWidth());
        this.out = new float[spec.queryWidth()];
        Residual nothing = new Residual(0, 0, FILL_ROWS);
        CacheLayout.Layer layer = CacheLayout.layer(spec, 0, forms, pageTokens, nothing);
        int layers = Math.clamp(WORKING_SET_ELEMENTS / (2L * tokens * spec.kvWidth()), 1, MOST_LAYERS);
        CacheLayout layout = new CacheLayout(Collections.nCopies(layers, layer), nothing);
        pool = new PagePool(backend.slabs(), Long.MAX_VALUE);
        sequence = new SequenceCache(layout, pool, Runnable::run);
        float[] keys = normal(random, FILL_ROWS * spec.kvWidth());
        float[] values = normal(random, FILL_ROWS * spec.kvWidth());
        for (int at = 0; at < tokens; at += FILL_ROWS) {
            int rows = Math.min(FILL_ROWS, tokens - at);
            sequence.reserve(rows);
            for (int l = 0; l < layers; l++) {
                backend.append(sequence.tables(l), 0, rows, keys, values);
            }
            sequence.commit(rows);
        }
        sequence.reserve(1); // pages take their forms
        sequence.rollback();
    }

    private static float[] normal(SplittableRandom random, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    /**
     * @return seconds of one query, all its heads: the median of several batches
     */
    double seconds() {
        double[] batches = new double[BATCHES];
        for (int b = -1; b < BATCHES; b++) { // the first one warms up
            long started = System.nanoTime();
            long ended = started;
            int count = 0;
            while (ended - started < BATCH_NANOS) {
                attend();
                count++;
                ended = System.nanoTime();
            }
            if (b >= 0) {
                batches[b] = (ended - started) / 1e9 / count;
            }
        }
        Arrays.sort(batches);
        return batches[BATCHES / 2];
    }

    private void attend() {
        AttentionPlan plan = new AttentionPlan(spec, queries, out, partials, next, Optional.empty());
        for (int head = 0; head < spec.kvHeads(); head++) {
            plan.add(0, 1, tokens - 1, head, sequence.table(next, head));
        }
        backend.attend(plan);
        next = (next + 1) % sequence.layout().layers().size();
    }

    /**
     * @return bytes that a query reads
     */
    long bytes() {
        return sequence.tables(0).stream()
                .mapToLong(table -> {
                    long bytes = 0;
                    for (int p = 0; p < table.size(); p++) {
                        bytes += table.page(p).layout().payloadBytes();
                    }
                    return bytes;
                })
                .sum();
    }

    /**
     * @return numbers that a query reads, keys and values
     */
    long elements() {
        return 2L * tokens * spec.kvWidth();
    }

    @Override
    public void close() {
        sequence.close();
        pool.close();
    }
}
