package org.pikv4j.bench.scaling;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.pikv4j.backend.Backend;
import org.pikv4j.bench.FilledCache;
import org.pikv4j.cache.compression.Codecs;
import org.pikv4j.cache.compression.FormChoice;
import org.pikv4j.cache.compression.PageForm;
import org.pikv4j.cache.routing.GateScores;
import org.pikv4j.cache.routing.HashPlacement;
import org.pikv4j.cache.storage.CacheLayout;
import org.pikv4j.cache.storage.CacheManagers;
import org.pikv4j.cache.storage.CacheUsage;
import org.pikv4j.cache.storage.PagePool;
import org.pikv4j.cache.storage.PageRoom;
import org.pikv4j.cache.storage.Residual;
import org.pikv4j.cache.storage.SequenceCache;
import org.pikv4j.decode.CachedAttention;
import org.pikv4j.decode.Span;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.shard.MoveListener;
import org.pikv4j.shard.ShardOptions;
import org.pikv4j.shard.ShardUsage;
import org.pikv4j.shard.Shards;

/** Sequences of a model's shape in bf16, filled with random rows, their full pages on shards by hash. */
final class ShardedCaches implements AutoCloseable {
    private static final int FILL_ROWS = 256;

    private final Backend backend;
    private final List<AttentionSpec> specs;
    private final CacheLayout layout;
    private final PagePool pool;
    private final Shards shards;
    private final CachedAttention attention;
    private final List<SequenceCache> sequences = new ArrayList<>();

    /**
     * @param backend what computes; not closed
     * @param specs the attention of each layer
     * @param pageTokens tokens per page
     * @param count number of shards
     * @param budgetBytes more than all sequences will take
     */
    ShardedCaches(Backend backend, List<AttentionSpec> specs, int pageTokens, int count, long budgetBytes) {
        this.backend = backend;
        this.specs = specs;
        List<CacheLayout.Layer> layers = new ArrayList<>();
        for (AttentionSpec spec : specs) {
            layers.add(CacheLayout.layer(
                    spec,
                    layers.size(),
                    FormChoice.of(new PageForm(Codecs.BF16)),
                    pageTokens,
                    Residual.DEFAULT,
                    PageRoom.NONE));
        }
        layout = new CacheLayout(layers, Residual.DEFAULT);
        pool = new PagePool(backend.slabs(), budgetBytes);
        shards = Shards.ofWorkers(
                pool, backend, ShardOptions.equal(count, new HashPlacement()), budgetBytes, MoveListener.NONE);
        attention = new CachedAttention(specs, backend, Optional.empty(), Optional.of(shards));
    }

    /** Adds a sequence of so many tokens. */
    void fill(int tokens) {
        SequenceCache cache =
                new SequenceCache(layout, pool, Runnable::run, CacheManagers.NONE.with(shards.newSequence()));
        sequences.add(cache);
        int width = specs.stream().mapToInt(AttentionSpec::kvWidth).max().orElseThrow();
        float[] keys = FilledCache.random(FILL_ROWS * width, 3);
        float[] values = FilledCache.random(FILL_ROWS * width, 4);
        while (cache.length() < tokens) {
            int rows = Math.min(FILL_ROWS, tokens - cache.length());
            cache.reserve(rows);
            for (int layer = 0; layer < specs.size(); layer++) {
                backend.append(cache.tables(layer), 0, rows, keys, values);
            }
            cache.commit(rows);
        }
    }

    /** Attention of one more token of each sequence, which is forgotten, so that every step moves the same. */
    void decode() {
        for (SequenceCache cache : sequences) {
            cache.reserve(1);
            List<Span> batch = List.of(new Span(cache, new int[1], 0, 1, Span.Logits.NONE));
            for (int layer = 0; layer < specs.size(); layer++) {
                AttentionSpec spec = specs.get(layer);
                float[] queries = FilledCache.random(spec.queryWidth(), 5);
                float[] row = FilledCache.random(spec.kvWidth(), 6);
                attention.attend(layer, batch, queries, row, row, new float[spec.queryWidth()], GateScores.NONE);
            }
            cache.rollback();
        }
    }

    CacheUsage usage() {
        return pool.usage();
    }

    List<ShardUsage> shards() {
        return shards.usage();
    }

    @Override
    public void close() {
        sequences.forEach(SequenceCache::close);
        shards.close();
        pool.close();
    }
}
