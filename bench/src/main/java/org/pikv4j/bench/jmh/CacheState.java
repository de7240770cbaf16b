package org.pikv4j.bench.jmh;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.pikv4j.attention.AttentionPlan;
import org.pikv4j.attention.Partials;
import org.pikv4j.backend.Backend;
import org.pikv4j.cache.compression.BasisSource;
import org.pikv4j.cache.compression.FormSpec;
import org.pikv4j.cache.storage.CacheLayout;
import org.pikv4j.cache.storage.PageLayout;
import org.pikv4j.cache.storage.PagePool;
import org.pikv4j.cache.storage.PageTable;
import org.pikv4j.cache.storage.Residual;
import org.pikv4j.cache.storage.SequenceCache;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.model.RopeSpec;

/** A sequence of as many layers as the working set takes, filled with random rows, in the head shapes of preset m. */
final class CacheState implements AutoCloseable {
    static final int PAGE_TOKENS = 64;
    static final AttentionSpec SPEC = spec(64);

    private static final int FILL_ROWS = 256;

    final SequenceCache sequence;
    /** Nothing stays exact, so that what is measured is the form. */
    private static final Residual RESIDUAL = new Residual(0, 0, FILL_ROWS);

    final int layers;
    private final PagePool pool;
    private final AttentionSpec spec;
    private final Partials partials;

    /**
     * @param backend what allocates and fills the pages
     * @param spec the layers' attention
     * @param form how rows are kept
     * @param tokens tokens of the sequence
     * @param layers number of layers
     */
    CacheState(Backend backend, AttentionSpec spec, String form, int tokens, int layers) {
        this.spec = spec;
        this.partials = new Partials(spec.headDim());
        this.layers = layers;
        CacheLayout layout = new CacheLayout(Collections.nCopies(layers, layer(spec, form)), RESIDUAL);
        pool = new PagePool(backend.slabs(), Long.MAX_VALUE);
        sequence = new SequenceCache(layout, pool, Runnable::run);
        float[] keys = Kernels.random(FILL_ROWS * spec.kvWidth(), 3);
        float[] values = Kernels.random(FILL_ROWS * spec.kvWidth(), 4);
        for (int at = 0; at < tokens; at += FILL_ROWS) {
            int rows = Math.min(FILL_ROWS, tokens - at);
            sequence.reserve(rows);
            for (int layer = 0; layer < layers; layer++) {
                backend.append(sequence.tables(layer), 0, rows, keys, values);
            }
            sequence.commit(rows);
        }
    }

    private static CacheLayout.Layer layer(AttentionSpec spec, String form) {
        return CacheLayout.layer(spec, 0, FormSpec.parse(form, BasisSource.NONE), PAGE_TOKENS, RESIDUAL);
    }

    /**
     * @return layers that make a working set beyond the last-level cache
     */
    static int layersFor(AttentionSpec spec, String form, int tokens) {
        return Kernels.pieces(bytes(spec, form, tokens));
    }

    /**
     * @return bytes of keys and values that attention reads in one layer
     */
    static long bytes(AttentionSpec spec, String form, int tokens) {
        PageLayout page = layer(spec, form).sealed().getFirst();
        return (long) spec.kvHeads() * Math.ceilDiv(tokens, PAGE_TOKENS) * page.payloadBytes();
    }

    /**
     * @param headDim width of a head
     * @return attention in the head counts of preset m
     */
    static AttentionSpec spec(int headDim) {
        return new AttentionSpec(
                16,
                4,
                headDim,
                (float) (1 / Math.sqrt(headDim)),
                AttentionSpec.FULL,
                new RopeSpec(1e6, headDim),
                AttentionSpec.QkNorm.NONE,
                Float.POSITIVE_INFINITY);
    }

    /**
     * @param layer the layer
     * @param queries (row, heads, headDim)
     * @param rows number of query rows, the newest of the sequence
     * @param out receives the outputs
     * @return a plan that has those rows attend to all that is before them
     */
    AttentionPlan plan(int layer, float[] queries, int rows, float[] out) {
        AttentionPlan plan = new AttentionPlan(spec, queries, out, partials, layer, Optional.empty());
        List<PageTable> tables = new ArrayList<>(sequence.tables(layer));
        for (int head = 0; head < tables.size(); head++) {
            plan.add(0, rows, sequence.length() - rows, head, tables.get(head));
        }
        return plan;
    }

    @Override
    public void close() {
        sequence.close();
        pool.close();
    }
}
