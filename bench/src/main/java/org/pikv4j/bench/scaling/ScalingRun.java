package org.pikv4j.bench.scaling;

import java.util.List;
import org.pikv4j.backend.Backend;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.shard.ShardUsage;

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
        try (ShardedCaches caches = new ShardedCaches(backend, specs, pageTokens, count, 4 * kvBytes() + (1L << 30))) {
            caches.fill(context);
            List<ShardUsage> before = caches.shards();
            for (int step = 0; step < STEPS; step++) {
                caches.decode();
            }
            return row(before, caches.shards());
        }
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
