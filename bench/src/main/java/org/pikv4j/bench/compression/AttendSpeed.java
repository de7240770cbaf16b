package org.pikv4j.bench.compression;

import java.util.Arrays;
import org.pikv4j.backend.Backend;
import org.pikv4j.bench.FilledCache;
import org.pikv4j.cache.compression.FormChoice;
import org.pikv4j.model.AttentionSpec;

/** How long one query takes over pages of a form, in one layer. */
final class AttendSpeed {
    /** All layers together are larger than a processor's caches. */
    private static final long WORKING_SET_ELEMENTS = 16L << 20;

    private static final int MOST_LAYERS = 64;
    private static final int BATCHES = 7;
    private static final long BATCH_NANOS = 60_000_000;

    private AttendSpeed() {}

    /**
     * @param backend computes
     * @param spec the layer's attention
     * @param forms the form of layer 0 is taken
     * @param pageTokens tokens per page
     * @param tokens tokens attended to
     * @return what a query reads, and the time it takes with all its heads: the median of several batches
     */
    static LatencyModel.Sample measure(
            Backend backend, AttentionSpec spec, FormChoice forms, int pageTokens, int tokens) {
        long elements = 2L * tokens * spec.kvWidth();
        int layers = Math.clamp(WORKING_SET_ELEMENTS / elements, 1, MOST_LAYERS);
        try (FilledCache cache = new FilledCache(backend, spec, forms, pageTokens, tokens, layers)) {
            double seconds = seconds(backend, cache, FilledCache.random(spec.queryWidth(), 5));
            return new LatencyModel.Sample(
                    tokens, FilledCache.bytes(spec, forms, pageTokens, tokens), elements, seconds);
        }
    }

    private static double seconds(Backend backend, FilledCache cache, float[] queries) {
        float[] out = new float[queries.length];
        double[] batches = new double[BATCHES];
        int next = 0;
        for (int b = -1; b < BATCHES; b++) { // the first one warms up
            long started = System.nanoTime();
            long ended = started;
            int count = 0;
            while (ended - started < BATCH_NANOS) {
                backend.attend(cache.plan(next, queries, 1, out));
                next = (next + 1) % cache.layers();
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
}
