package org.pikv4j.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.IntPredicate;
import org.pikv4j.cache.scheduling.PolicyChoice;
import org.pikv4j.session.EngineOptions;
import org.pikv4j.shard.ShardOptions;
import org.pikv4j.shard.ShardSpec;

/** One way to keep a model's cache, and what fits with it. */
final class Fit {
    private final ModelShape model;
    private final EngineOptions options;
    private final CacheModel cache;

    /**
     * @param model the model
     * @param options how its cache is kept
     * @throws org.pikv4j.error.InvalidOptionException if that does not fit the model
     */
    Fit(ModelShape model, EngineOptions options) {
        this.model = model;
        this.options = options;
        this.cache = new CacheModel(model, options);
    }

    CacheModel cache() {
        return cache;
    }

    CacheBytes kv(Workload work) {
        return cache.bytes(work.context()).times(work.batch());
    }

    /** What kv auto makes of the cache, where it is on. */
    Optional<OneBudgetBytes> auto(Workload work) {
        return options.policy()
                .filter(PolicyChoice::auto)
                .map(any -> new OneBudgetBytes(
                        options.kvBudgetBytes(),
                        cache.keptBytes(options.kvBudgetBytes()),
                        kv(work).total(),
                        Math.addExact(
                                cache.smallest(work.context())
                                        .times(work.batch())
                                        .total(),
                                cache.rowsBytes(options.kvBudgetBytes()))));
    }

    /**
     * The fullest device: whole experts of each layer, an even share of the pages that are full, the open ones of its share of
     * the sequences, and a copy of everything else.
     */
    DeviceBytes device(Workload work) {
        CacheBytes one = cache.bytes(work.context());
        CacheModel.PageSum settledPages = cache.settled(work.context());
        long settled = one.total() - one.openBytes() - one.tailBytes();
        long open = one.openBytes() + one.tailBytes();
        long kv = Math.addExact(
                shared(settled, work), Math.multiplyExact(open, Math.ceilDiv(work.batch(), work.devices())));
        long pages = shared(settledPages.pages(), work)
                + (cache.pages(work.context()) - settledPages.pages()) * Math.ceilDiv(work.batch(), work.devices());
        long experts = 0;
        for (LayerShape layer : model.layers()) {
            experts += Math.ceilDiv(layer.experts(), work.devices()) * layer.expertParameters();
        }
        return DeviceBytes.of(
                Math.multiplyExact(model.alwaysParameters(), model.elementBytes()),
                Math.multiplyExact(experts, model.elementBytes()),
                auto(work).map(OneBudgetBytes::heldBytes).orElse(kv),
                pages,
                Math.multiplyExact(oneRouting(work), Math.ceilDiv(work.batch(), work.devices())),
                scratch(work));
    }

    /** A device's part of what all sequences have so much of. */
    private static long shared(long ofSequence, Workload work) {
        return Math.ceilDiv(Math.multiplyExact(ofSequence, (long) work.batch()), work.devices());
    }

    /** What the shards of a device hold; empty where there are none. */
    List<ShardBytes> shards(Workload work) {
        List<ShardSpec> specs = options.shards().map(ShardOptions::shards).orElse(List.of());
        CacheModel.PageSum settled = cache.settled(work.context());
        long bytes = shared(settled.bytes(), work);
        long most = auto(work).map(OneBudgetBytes::heldBytes).orElse(Long.MAX_VALUE);
        double all = specs.stream().mapToDouble(ShardSpec::weight).sum();
        List<ShardBytes> shards = new ArrayList<>();
        for (ShardSpec spec : specs) {
            double share = spec.weight() / all;
            shards.add(new ShardBytes(
                    shards.size(),
                    share,
                    Math.round(share * Math.min(bytes, most)),
                    Math.round(share * shared(settled.pages(), work))));
        }
        return shards;
    }

    private long oneRouting(Workload work) {
        return RoutingBytes.of(model, options, cache, work.context());
    }

    /** What is known of the experts of all sequences. */
    long routing(Workload work) {
        return Math.multiplyExact(oneRouting(work), (long) work.batch());
    }

    long scratch(Workload work) {
        return Scratch.bytes(model, options.prefillChunk(), work.context(), work.batch());
    }

    boolean fits(Workload work) {
        return device(work).totalBytes() <= work.memoryBytes() && withinBudget(work);
    }

    /** Whether the budget holds all tokens that are to be kept. */
    boolean withinBudget(Workload work) {
        return auto(work).map(OneBudgetBytes::keepsAll).orElseGet(() -> kv(work).total() <= options.kvBudgetBytes());
    }

    int maxContext(Workload work) {
        return most(Math.min(Workload.MOST_TOKENS, model.maxPositions()), tokens -> fits(work.withContext(tokens)));
    }

    int maxBatch(Workload work) {
        return most(Workload.MOST_SEQUENCES, sequences -> fits(work.withBatch(sequences)));
    }

    /** The largest number, up to a limit, that something is true of, if it is true of all below. */
    private static int most(int limit, IntPredicate holds) {
        int yes = 0;
        int no = limit + 1;
        while (no - yes > 1) {
            int middle = (yes + no) >>> 1;
            if (holds.test(middle)) {
                yes = middle;
            } else {
                no = middle;
            }
        }
        return yes;
    }
}
