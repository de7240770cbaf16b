package org.pikv4j.bench.compression;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.pikv4j.backend.Backend;
import org.pikv4j.bench.FilledCache;
import org.pikv4j.cache.compression.FormChoice;
import org.pikv4j.model.AttentionSpec;

/** How long one query takes over pages of a form, in one layer. */
final class AttendSpeed {
    /** All layers together are larger than a processor's caches. */
    private static final long WORKING_SET_BYTES = 64L << 20;

    private static final int MOST_LAYERS = 64;
    private static final int BATCHES = 7;
    private static final long BATCH_NANOS = 60_000_000;
    /** Kernels are made anew for each form; the compiler must be done with them. */
    private static final long WARM_UP_NANOS = 2_000_000_000;

    private AttendSpeed() {}

    /**
     * @param backends what computes, one after the other on the same pages
     * @param spec the layer's attention
     * @param forms the form of layer 0 is taken
     * @param pageTokens tokens per page
     * @param lengths tokens attended to
     * @return for each backend and length what a query reads, and the time it takes with all its heads: the median of several
     *     batches
     */
    static List<List<LatencyModel.Sample>> measure(
            List<Backend> backends, AttentionSpec spec, FormChoice forms, int pageTokens, List<Integer> lengths) {
        List<List<LatencyModel.Sample>> samples = new ArrayList<>();
        backends.forEach(backend -> samples.add(new ArrayList<>()));
        float[] queries = FilledCache.random(spec.queryWidth(), 5);
        boolean warm = false;
        for (int tokens : lengths) {
            long bytes = FilledCache.bytes(spec, forms, pageTokens, tokens);
            int layers = Math.clamp(Math.ceilDiv(WORKING_SET_BYTES, bytes), 1, MOST_LAYERS);
            try (FilledCache cache = new FilledCache(backends.getFirst(), spec, forms, pageTokens, tokens, layers)) {
                for (int b = 0; b < backends.size(); b++) {
                    if (!warm) {
                        batch(backends.get(b), cache, queries, WARM_UP_NANOS);
                    }
                    double seconds = seconds(backends.get(b), cache, queries);
                    samples.get(b).add(new LatencyModel.Sample(tokens, bytes, 2L * tokens * spec.kvWidth(), seconds));
                }
            }
            warm = true;
        }
        return samples;
    }

    private static double seconds(Backend backend, FilledCache cache, float[] queries) {
        double[] batches = new double[BATCHES];
        batch(backend, cache, queries, BATCH_NANOS);
        for (int b = 0; b < BATCHES; b++) {
            batches[b] = batch(backend, cache, queries, BATCH_NANOS);
        }
        Arrays.sort(batches);
        return batches[BATCHES / 2];
    }

    /** Seconds per query. */
    private static double batch(Backend backend, FilledCache cache, float[] queries, long nanos) {
        float[] out = new float[queries.length];
        long started = System.nanoTime();
        long ended = started;
        int count = 0;
        while (ended - started < nanos) {
            backend.attend(cache.plan(count % cache.layers(), queries, 1, out));
            count++;
            ended = System.nanoTime();
        }
        return (ended - started) * 1e-9 / count;
    }
}
