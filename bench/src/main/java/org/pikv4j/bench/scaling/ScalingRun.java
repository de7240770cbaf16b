package org.pikv4j.bench.scaling;

import java.util.ArrayList;
import java.util.Collections;
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
import org.pikv4j.cache.storage.PagePool;
import org.pikv4j.cache.storage.PageRoom;
import org.pikv4j.cache.storage.Residual;
import org.pikv4j.cache.storage.SequenceCache;
import org.pikv4j.decode.CachedAttention;
import org.pikv4j.decode.Span;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.shard.ShardOptions;
import org.pikv4j.shard.ShardSpec;
import org.pikv4j.shard.ShardUsage;
import org.pikv4j.shard.Shards;

/**
 * Attention of a model's shape over random rows, its cache on shards: the messages are those of a run, whatever the numbers.
 *
 * @param backend what computes
 * @param specs the attention of each layer
 * @param pageTokens tokens per page
 * @param context tokens in the cache
 * @param network where messages would go
 */
record ScalingRun(Backend backend, List<AttentionSpec> specs, int pageTokens, int context, Network network) {
    private static final int FILL_ROWS = 256;
    private static final int STEPS = 4;

    /** Bytes of the cache in bf16. */
    long kvBytes() {
        return specs.stream()
                        .mapToLong(spec -> 2L * spec.kvWidth() * Short.BYTES)
                        .sum()
                * context;
    }

    /**
     * @param count number of shards
     * @return what a token moves
     */
    ScalingReport.Row measure(int count) {
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
        ShardOptions options = new ShardOptions(Collections.nCopies(count, ShardSpec.EQUAL), new HashPlacement(), true);
        try (PagePool pool = new PagePool(backend.slabs(), 4 * kvBytes() + (1L << 30));
                Shards shards = Shards.ofWorkers(pool, backend, options, 4 * kvBytes() + (1L << 30));
                SequenceCache cache = new SequenceCache(
                        new CacheLayout(layers, Residual.DEFAULT),
                        pool,
                        Runnable::run,
                        CacheManagers.NONE.with(shards.newSequence()))) {
            fill(cache);
            List<ShardUsage> before = shards.usage();
            CachedAttention attention = new CachedAttention(specs, backend, Optional.empty(), Optional.of(shards));
            for (int step = 0; step < STEPS; step++) {
                decode(cache, attention);
            }
            return row(before, shards.usage());
        }
    }

    private void fill(SequenceCache cache) {
        int width = specs.stream().mapToInt(AttentionSpec::kvWidth).max().orElseThrow();
        float[] keys = FilledCache.random(FILL_ROWS * width, 3);
        float[] values = FilledCache.random(FILL_ROWS * width, 4);
        while (cache.length() < context) {
            int rows = Math.min(FILL_ROWS, context - cache.length());
            cache.reserve(rows);
            for (int layer = 0; layer < specs.size(); layer++) {
                backend.append(cache.tables(layer), 0, rows, keys, values);
            }
            cache.commit(rows);
        }
    }

    private void decode(SequenceCache cache, CachedAttention attention) {
        cache.reserve(1);
        List<Span> batch = List.of(new Span(cache, new int[1], 0, 1, Span.Logits.NONE));
        for (int layer = 0; layer < specs.size(); layer++) {
            AttentionSpec spec = specs.get(layer);
            float[] queries = FilledCache.random(spec.queryWidth(), 5);
            float[] row = FilledCache.random(spec.kvWidth(), 6);
            attention.attend(layer, batch, queries, row, row, new float[spec.queryWidth()], GateScores.NONE);
        }
        cache.rollback(); // so that every step moves the same
    }

    private ScalingReport.Row row(List<ShardUsage> before, List<ShardUsage> after) {
        int count = after.size();
        double queries = 0;
        double answers = 0;
        double rows = 0;
        double held = 0;
        long largest = 0;
        for (int i = 0; i < count; i++) {
            queries += (double) (after.get(i).queryBytes() - before.get(i).queryBytes()) / STEPS;
            answers += (double) (after.get(i).answerBytes() - before.get(i).answerBytes()) / STEPS;
            rows += (double) after.get(i).rowBytes() / context;
            held += after.get(i).heldBytes();
            largest = Math.max(largest, after.get(i).heldBytes());
        }
        double partials = count
                * specs.stream()
                        .mapToDouble(spec -> spec.heads() * (2.0 * spec.headDim() + 2) * Float.BYTES)
                        .sum();
        long layers = specs.size();
        return new ScalingReport.Row(
                count,
                largest * count / held,
                queries,
                answers,
                partials,
                held,
                (count - 1) * held,
                rows,
                network.seconds(2 * layers, queries + answers),
                network.seconds(2 * layers, held),
                network.seconds((count - 1) * layers, held * (count - 1) / count));
    }
}
