package org.pikv4j.bench.simulate;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.pikv4j.PiKV;
import org.pikv4j.backend.Backend;
import org.pikv4j.cache.compression.BasisSource;
import org.pikv4j.cache.compression.FormChoice;
import org.pikv4j.cache.compression.FormSpec;
import org.pikv4j.cache.routing.GateScores;
import org.pikv4j.cache.scheduling.CacheSchedule;
import org.pikv4j.cache.scheduling.PolicyChoice;
import org.pikv4j.cache.scheduling.TokenBudget;
import org.pikv4j.cache.storage.CacheLayout;
import org.pikv4j.cache.storage.CacheManagers;
import org.pikv4j.cache.storage.PagePool;
import org.pikv4j.cache.storage.PageRoom;
import org.pikv4j.cache.storage.PageTable;
import org.pikv4j.cache.storage.Residual;
import org.pikv4j.cache.storage.SequenceCache;
import org.pikv4j.decode.AttentionObserver;
import org.pikv4j.decode.CachedAttention;
import org.pikv4j.decode.Span;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.trace.Trace;

/**
 * A recorded run once more, without the model: its keys and values go to a real cache under a real policy, and where the policy
 * wants to know what attention tokens receive, the recorded queries attend to what the cache still holds. What is judged is the
 * very code that runs.
 */
final class TraceReplay implements AutoCloseable {
    private static final int CHUNK = PiKV.DEFAULT_PREFILL_CHUNK;
    private static final FormChoice FORM = FormSpec.parse("bf16", BasisSource.NONE);

    private final Trace trace;
    private final PagePool pool;
    private final SequenceCache cache;
    private final Retention retention;
    private final int[] held; // (table): tokens
    private final CachedAttention attention;
    private final int[] ids;
    private final float[] queries;
    private final float[] keys;
    private final float[] values;
    private final float[] attended;
    private final float[] gates;

    /**
     * @param trace what was recorded
     * @param backend what attends
     * @param policy what gives way
     * @param budget held all the time; none for cuts
     * @param pageTokens tokens per page
     */
    TraceReplay(Trace trace, Backend backend, PolicyChoice policy, Optional<TokenBudget> budget, int pageTokens) {
        this.trace = trace;
        this.ids = trace.tokens();
        PageRoom room = policy.router().isEmpty()
                ? PageRoom.POSITIONS
                : new PageRoom(false, policy.router().get().bounds());
        List<AttentionSpec> specs =
                trace.layers().stream().map(Trace.Layer::spec).toList();
        List<CacheLayout.Layer> layers = new ArrayList<>();
        for (AttentionSpec spec : specs) {
            layers.add(CacheLayout.layer(spec, layers.size(), FORM, pageTokens, Residual.DEFAULT, room));
        }
        CacheLayout layout = new CacheLayout(layers, Residual.DEFAULT);
        pool = new PagePool(backend.slabs(), Long.MAX_VALUE);
        cache = new SequenceCache(
                layout,
                pool,
                Runnable::run,
                CacheManagers.NONE.with(new CacheSchedule(Optional.of(policy), budget, layout, specs, CHUNK)));
        attention = new CachedAttention(specs, backend, policy.router());
        held = new int[cache.tables().size()];
        retention = new Retention(held.length, trace.length());
        int queryWidth =
                specs.stream().mapToInt(AttentionSpec::queryWidth).max().orElseThrow();
        int kvWidth = specs.stream().mapToInt(AttentionSpec::kvWidth).max().orElseThrow();
        int experts =
                trace.layers().stream().mapToInt(Trace.Layer::experts).max().orElseThrow();
        queries = new float[CHUNK * queryWidth];
        attended = new float[CHUNK * queryWidth];
        keys = new float[CHUNK * kvWidth];
        values = new float[CHUNK * kvWidth];
        gates = new float[CHUNK * experts];
    }

    /**
     * Reads on, as a session reads a prompt.
     *
     * @param end where to stop
     */
    void read(int end) {
        read(end, Optional.empty());
    }

    /**
     * Reads on, token by token, and notes what is read of the cache.
     *
     * @param end where to stop
     * @return what each step read
     */
    TokensRead readNoting(int end) {
        TokensRead read = new TokensRead(held.length, cache.length());
        int[] firstTable = new int[trace.layers().size()];
        for (int layer = 1; layer < firstTable.length; layer++) {
            firstTable[layer] = firstTable[layer - 1] + cache.tables(layer - 1).size();
        }
        while (cache.length() < end) {
            read(cache.length() + 1, Optional.of(rows -> {
                for (int head = 0; head < rows.spec().kvHeads(); head++) {
                    read.add(firstTable[rows.layer()] + head, rows.read().positions(0, head));
                }
            }));
        }
        return read;
    }

    private void read(int end, Optional<AttentionObserver> observer) {
        while (cache.length() < end) {
            cache.expect(end);
            int position = cache.length();
            int rows = Math.min(Math.min(CHUNK, end - position), cache.rowsToNextChange());
            cache.reserve(rows);
            noteEvictions();
            List<Span> span = List.of(new Span(cache, ids, position, rows, Span.Logits.NONE, observer));
            for (int layer = 0; layer < trace.layers().size(); layer++) {
                trace.queries(layer, position, rows, queries);
                trace.keys(layer, position, rows, keys);
                trace.values(layer, position, rows, values);
                attention.attend(layer, span, queries, keys, values, attended, GateScores.NONE);
                int experts = trace.layers().get(layer).experts();
                if (experts > 0) {
                    trace.gates(layer, position, rows, gates);
                    attention.routed(layer, span, gates, experts);
                }
            }
            cache.commit(rows);
            List<PageTable> tables = cache.tables();
            for (int i = 0; i < held.length; i++) {
                held[i] = tokens(tables.get(i));
            }
        }
    }

    private static int tokens(PageTable table) {
        return table.tokensBefore(table.size());
    }

    private void noteEvictions() {
        List<PageTable> tables = cache.tables();
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
        return cache.tables().stream().map(PageTable::positions).toList();
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
            List<PageTable> tables = fork.tables();
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
