package org.pikv4j.bench;

import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import org.pikv4j.attention.AttentionPlan;
import org.pikv4j.attention.Partials;
import org.pikv4j.backend.Backend;
import org.pikv4j.cache.compression.FormChoice;
import org.pikv4j.cache.storage.CacheLayout;
import org.pikv4j.cache.storage.PageLayout;
import org.pikv4j.cache.storage.PagePool;
import org.pikv4j.cache.storage.PageRoom;
import org.pikv4j.cache.storage.PageTable;
import org.pikv4j.cache.storage.Residual;
import org.pikv4j.cache.storage.SequenceCache;
import org.pikv4j.model.AttentionSpec;

/** A sequence of several equal layers, filled with random rows: what attention is timed on. */
public final class FilledCache implements AutoCloseable {
    private static final int FILL_ROWS = 256;

    /** Nothing stays exact, so that what is measured is the form. */
    private static final Residual RESIDUAL = new Residual(0, 0, FILL_ROWS);

    private final AttentionSpec spec;
    private final PagePool pool;
    private final SequenceCache sequence;
    private final Partials partials;

    /**
     * @param backend what allocates and fills the pages
     * @param spec the layers' attention
     * @param forms how rows are kept; the form of layer 0 is taken
     * @param pageTokens tokens per page
     * @param tokens tokens of the sequence
     * @param layers number of layers
     */
    public FilledCache(Backend backend, AttentionSpec spec, FormChoice forms, int pageTokens, int tokens, int layers) {
        this.spec = spec;
        this.partials = new Partials(spec.headDim());
        CacheLayout layout = new CacheLayout(
                Collections.nCopies(layers, CacheLayout.layer(spec, 0, forms, pageTokens, RESIDUAL, PageRoom.NONE)),
                RESIDUAL);
        pool = new PagePool(backend.slabs(), Long.MAX_VALUE);
        sequence = new SequenceCache(layout, pool, Runnable::run);
        float[] keys = random(FILL_ROWS * spec.kvWidth(), 3);
        float[] values = random(FILL_ROWS * spec.kvWidth(), 4);
        for (int at = 0; at < tokens; at += FILL_ROWS) {
            int rows = Math.min(FILL_ROWS, tokens - at);
            sequence.reserve(rows);
            for (int layer = 0; layer < layers; layer++) {
                backend.append(sequence.tables(layer), 0, rows, keys, values);
            }
            sequence.commit(rows);
        }
        // Pages take their forms before the next row is reserved.
        sequence.reserve(1);
        sequence.rollback();
    }

    /**
     * @param length how many
     * @param seed of the numbers: equal seeds give equal numbers
     * @return numbers between −0.5 and 0.5
     */
    public static float[] random(int length, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = random.nextFloat() - 0.5f;
        }
        return values;
    }

    /**
     * @param spec attention of a layer
     * @param forms how rows are kept; the form of layer 0 is taken
     * @param pageTokens tokens per page
     * @param tokens tokens of a sequence
     * @return bytes of the keys and values of one layer, without the padding of pages
     */
    public static long bytes(AttentionSpec spec, FormChoice forms, int pageTokens, int tokens) {
        List<PageLayout> sealed = CacheLayout.layer(spec, 0, forms, pageTokens, RESIDUAL, PageRoom.NONE)
                .sealed();
        long perPage = sealed.stream().mapToLong(PageLayout::payloadBytes).sum();
        return perPage * Math.ceilDiv(tokens, pageTokens);
    }

    /**
     * @return the sequence, for who appends more; what was not committed is rolled back when this is closed
     */
    public SequenceCache sequence() {
        return sequence;
    }

    /**
     * @return number of layers
     */
    public int layers() {
        return sequence.layout().layers().size();
    }

    /**
     * @param layer the layer
     * @param queries (row, heads, headDim)
     * @param rows number of query rows, the newest of the sequence
     * @param out receives the outputs
     * @return a plan that has those rows attend to all that is before them
     */
    public AttentionPlan plan(int layer, float[] queries, int rows, float[] out) {
        AttentionPlan plan = new AttentionPlan(spec, queries, out, partials, layer);
        List<PageTable> tables = sequence.tables(layer);
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
