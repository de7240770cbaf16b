package org.pikv4j.bench.simulate;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.pikv4j.PiKV;
import org.pikv4j.attention.AttentionPlan;
import org.pikv4j.attention.Partials;
import org.pikv4j.backend.Backend;
import org.pikv4j.cache.compression.BasisSource;
import org.pikv4j.cache.compression.FormChoice;
import org.pikv4j.cache.compression.FormSpec;
import org.pikv4j.cache.scheduling.CacheSchedule;
import org.pikv4j.cache.scheduling.ObservedAttention;
import org.pikv4j.cache.scheduling.PolicyChoice;
import org.pikv4j.cache.scheduling.TokenBudget;
import org.pikv4j.cache.storage.CacheLayout;
import org.pikv4j.cache.storage.PagePool;
import org.pikv4j.cache.storage.PageTable;
import org.pikv4j.cache.storage.Residual;
import org.pikv4j.cache.storage.SequenceCache;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.trace.Trace;

/**
 * A recorded run once more, without the model: its keys and values go to a real cache under a real policy, and where the policy
 * wants to know what attention tokens receive, the recorded queries attend to what the cache still holds. What is judged is the
 * very code that runs.
 */
final class Replay implements AutoCloseable {
    private static final FormChoice FORM = FormSpec.parse("bf16", BasisSource.NONE);

    private final Trace trace;
    private final Backend backend;
    private final PagePool pool;
    private final SequenceCache cache;
    private final CacheSchedule schedule;
    private final Retention retention;
    private final int[] held; // (table): tokens
    private final Map<Integer, Partials> partials = new HashMap<>(); // by head dim
    private final float[] queries;
    private final float[] keys;
    private final float[] values;
    private final float[] attended;

    /**
     * @param trace what was recorded
     * @param backend what attends
     * @param policy what gives way
     * @param budget held all the time; none for cuts
     * @param pageTokens tokens per page
     */
    Replay(Trace trace, Backend backend, PolicyChoice policy, Optional<TokenBudget> budget, int pageTokens) {
        this.trace = trace;
        this.backend = backend;
        List<CacheLayout.Layer> layers = new ArrayList<>();
        int queryWidth = 0;
        int kvWidth = 0;
        for (Trace.Layer layer : trace.layers()) {
            AttentionSpec spec = layer.spec();
            layers.add(CacheLayout.layer(spec, layers.size(), FORM, pageTokens, Residual.DEFAULT, true));
            queryWidth = Math.max(queryWidth, spec.queryWidth());
            kvWidth = Math.max(kvWidth, spec.kvWidth());
            partials.computeIfAbsent(spec.headDim(), Partials::new);
        }
        CacheLayout layout = new CacheLayout(layers, Residual.DEFAULT);
        int chunk = PiKV.DEFAULT_PREFILL_CHUNK;
        schedule = new CacheSchedule(Optional.of(policy), budget, layout, chunk);
        pool = new PagePool(backend.slabs(), Long.MAX_VALUE);
        cache = new SequenceCache(layout, pool, Runnable::run, Optional.of(schedule));
        held = new int[tables(cache).size()];
        retention = new Retention(held.length, trace.length());
        queries = new float[chunk * queryWidth];
        attended = new float[chunk * queryWidth];
        keys = new float[chunk * kvWidth];
        values = new float[chunk * kvWidth];
    }

    /** By layer and KV head. */
    private static List<PageTable> tables(SequenceCache cache) {
        List<PageTable> tables = new ArrayList<>();
        for (int layer = 0; layer < cache.layout().layers().size(); layer++) {
            tables.addAll(cache.tables(layer));
        }
        return tables;
    }

    /**
     * Reads on, as a session reads a prompt.
     *
     * @param end where to stop
     */
    void read(int end) {
        while (cache.length() < end) {
            schedule.expect(end);
            int rows = Math.min(PiKV.DEFAULT_PREFILL_CHUNK, end - cache.length());
            rows = Math.min(rows, cache.rowsToNextChange());
            cache.reserve(rows);
            noteEvictions();
            for (int layer = 0; layer < trace.layers().size(); layer++) {
                attend(layer, rows);
            }
            cache.commit(rows);
            List<PageTable> tables = tables(cache);
            for (int i = 0; i < held.length; i++) {
                held[i] = tokens(tables.get(i));
            }
        }
    }

    private void attend(int layer, int rows) {
        AttentionSpec spec = trace.layers().get(layer).spec();
        int position = cache.length();
        trace.keys(layer, position, rows, keys);
        trace.values(layer, position, rows, values);
        List<PageTable> tables = cache.tables(layer);
        backend.append(tables, 0, rows, keys, values);
        if (schedule.watchedFrom() >= position + rows) {
            return; // nobody looks at what would come of it
        }
        trace.queries(layer, position, rows, queries);
        AttentionPlan plan = new AttentionPlan(
                spec,
                queries,
                attended,
                partials.getOrDefault(spec.headDim(), new Partials(spec.headDim())),
                layer,
                Optional.empty());
        for (int head = 0; head < tables.size(); head++) {
            plan.add(0, rows, position, head, tables.get(head), Optional.of(schedule));
        }
        backend.attend(plan);
        plan.observed().forEach(ObservedAttention::report);
    }

    private static int tokens(PageTable table) {
        return table.tokensBefore(table.size());
    }

    private void noteEvictions() {
        List<PageTable> tables = tables(cache);
        for (int i = 0; i < held.length; i++) {
            if (tokens(tables.get(i)) < held[i]) {
                retention.left(i, cache.length(), tables.get(i).positions());
            }
        }
    }

    /**
     * @return what stayed so far, and how long
     */
    Retention retention() {
        return retention;
    }

    /**
     * @return positions of the tokens held now, by layer and KV head
     */
    List<int[]> positions() {
        return tables(cache).stream().map(PageTable::positions).toList();
    }

    /**
     * What would stay if the policy evicted now, and never again. This replay goes on as if it had not.
     *
     * @param tokens how many tokens stay in each layer and KV head, on average
     * @return what stays
     */
    Retention cut(int tokens) {
        Retention kept = new Retention(held.length, trace.length());
        try (SequenceCache fork = cache.fork()) {
            fork.schedule().orElseThrow().cut(fork, tokens);
            List<PageTable> tables = tables(fork);
            for (int i = 0; i < held.length; i++) {
                kept.left(i, fork.length(), tables.get(i).positions());
            }
        }
        return kept;
    }

    @Override
    public void close() {
        cache.close();
        pool.close();
    }
}
