package org.pikv4j.decode;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.pikv4j.attention.AttentionPlan;
import org.pikv4j.attention.Partials;
import org.pikv4j.attention.Reading;
import org.pikv4j.backend.Backend;
import org.pikv4j.cache.routing.GateScores;
import org.pikv4j.cache.routing.PageRouter;
import org.pikv4j.cache.scheduling.AttentionWatcher;
import org.pikv4j.cache.scheduling.CacheSchedule;
import org.pikv4j.cache.scheduling.ObservedAttention;
import org.pikv4j.cache.scheduling.Signal;
import org.pikv4j.cache.storage.PageTable;
import org.pikv4j.cache.storage.SequenceCache;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.shard.Shards;

/**
 * Attention over caches: what a layer does between its projections. Rows go to the caches of their sequences, attend to what
 * these hold, and whoever watches is told. Does not need a model: recorded rows will do.
 */
public final class CachedAttention {
    private final List<AttentionSpec> specs;
    private final Backend backend;
    private final Optional<PageRouter> router;
    private final Optional<Shards> shards;
    private final List<Partials> partialsOf = new ArrayList<>(); // (layer), shared by layers of the same head dim

    /**
     * @param specs the attention of each layer
     * @param backend what computes
     * @param router chooses the pages that queries read; all where there is none
     */
    public CachedAttention(List<AttentionSpec> specs, Backend backend, Optional<PageRouter> router) {
        this(specs, backend, router, Optional.empty());
    }

    /**
     * @param specs the attention of each layer
     * @param backend what computes here
     * @param router chooses the pages that queries read; all where there is none
     * @param shards where pages live that are not here
     */
    public CachedAttention(
            List<AttentionSpec> specs, Backend backend, Optional<PageRouter> router, Optional<Shards> shards) {
        this.shards = shards;
        this.specs = List.copyOf(specs);
        this.backend = backend;
        this.router = router;
        Map<Integer, Partials> partials = new HashMap<>();
        for (AttentionSpec spec : specs) {
            partialsOf.add(partials.computeIfAbsent(spec.headDim(), Partials::new));
        }
    }

    /**
     * Appends a layer's rows of a batch, and attends. The caches have room reserved, and are not committed.
     *
     * @param layer index of the layer
     * @param batch the spans, their rows one after the other
     * @param queries rotated, (row, heads, headDim)
     * @param keys rotated, (row, kvHeads, headDim)
     * @param values (row, kvHeads, headDim)
     * @param attended receives the weighted sums of values, (row, heads, headDim)
     * @param gates what the layer's gate says before attention, for those who choose by it
     */
    public void attend(
            int layer,
            List<Span> batch,
            float[] queries,
            float[] keys,
            float[] values,
            float[] attended,
            GateScores gates) {
        AttentionSpec spec = specs.get(layer);
        AttentionPlan plan = new AttentionPlan(spec, queries, attended, partialsOf.get(layer), layer);
        int row = 0;
        for (Span span : batch) {
            SequenceCache cache = span.cache();
            List<PageTable> tables = cache.tables(layer);
            backend.append(tables, row, span.count(), keys, values);
            int first = row;
            cache.routing().ifPresent(routing -> routing.arrive(layer, cache.length(), gates.from(first)));
            for (int head = 0; head < tables.size(); head++) {
                plan.add(row, span.count(), cache.length(), head, tables.get(head), reading(cache, layer, head));
            }
            row += span.count();
        }
        shards.ifPresentOrElse(beside -> beside.attend(plan, () -> backend.attend(plan)), () -> backend.attend(plan));
        plan.observed().forEach(ObservedAttention::report);
        row = 0;
        for (Span span : batch) {
            int first = row;
            span.observer()
                    .ifPresent(observer -> observer.observe(new AttentionRows(
                            layer,
                            spec,
                            span.cache().length(),
                            first,
                            span.count(),
                            queries,
                            keys,
                            values,
                            attended,
                            (r, kvHead) -> plan.read(first + r, kvHead))));
            row += span.count();
        }
    }

    private Reading reading(SequenceCache cache, int layer, int head) {
        Stream<AttentionWatcher> watchers = Stream.concat(
                cache.schedule().stream(), cache.routing().flatMap(routing -> routing.watcher(layer, head)).stream());
        return new Reading(
                cache.prompt(), cache.routing().map(PageRouter.class::cast).or(() -> router), watchers.toList());
    }

    /**
     * A layer's gate has chosen experts.
     *
     * @param layer index of the layer
     * @param batch the spans, their rows one after the other
     * @param probabilities the softmax over all experts: (row, experts)
     * @param experts number of experts
     */
    public void routed(int layer, List<Span> batch, float[] probabilities, int experts) {
        int row = 0;
        for (Span span : batch) {
            int first = row;
            SequenceCache cache = span.cache();
            Optional<CacheSchedule> listens =
                    cache.schedule().filter(schedule -> schedule.signals().contains(Signal.EXPERTS));
            if (listens.isPresent() || cache.experts().isPresent()) {
                int[] preferred = preferred(probabilities, first, span.count(), experts);
                listens.ifPresent(schedule -> schedule.routed(cache.tables(layer), preferred));
                cache.experts().ifPresent(known -> known.note(layer, cache.length(), preferred, experts));
            }
            span.observer()
                    .ifPresent(observer -> observer.observe(
                            new GateRows(layer, cache.length(), first, span.count(), experts, probabilities)));
            row += span.count();
        }
    }

    private static int[] preferred(float[] probabilities, int first, int count, int experts) {
        int[] preferred = new int[count];
        for (int r = 0; r < count; r++) {
            int at = (first + r) * experts;
            for (int e = 1; e < experts; e++) {
                preferred[r] = probabilities[at + e] > probabilities[at + preferred[r]] ? e : preferred[r];
            }
        }
        return preferred;
    }
}
