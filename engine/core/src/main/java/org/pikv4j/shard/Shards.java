package org.pikv4j.shard;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.IntStream;
import org.pikv4j.attention.AttentionPlan;
import org.pikv4j.attention.ShardAnswer;
import org.pikv4j.attention.ShardQuery;
import org.pikv4j.backend.Backend;
import org.pikv4j.cache.routing.NewPage;
import org.pikv4j.cache.routing.Placement;
import org.pikv4j.cache.routing.ShardLoads;
import org.pikv4j.cache.storage.PagePlacer;
import org.pikv4j.cache.storage.PagePool;
import org.pikv4j.cache.storage.SequenceCache;
import org.pikv4j.error.ShardFailedException;

/**
 * The shards of an engine: finds places for full pages there, asks for the attention that is paid to them, and counts what went back
 * and forth. Called by the engine's thread, but for {@link #usage}.
 */
public final class Shards implements ShardLoads, AutoCloseable {
    private final PagePool pool;
    private final Placement placement;
    private final boolean overlap;
    private final List<Shard> shards = new ArrayList<>();
    private long sequences;

    /** A shard, and what went to it and came from it. */
    private static final class Shard {
        final ShardTransport transport;
        final double weight;
        volatile boolean failed;
        final LongAdder queries = new LongAdder();
        final LongAdder queryBytes = new LongAdder();
        final LongAdder answerBytes = new LongAdder();
        final LongAdder rowBytes = new LongAdder();

        Shard(ShardTransport transport, double weight) {
            this.transport = transport;
            this.weight = weight;
        }
    }

    /**
     * @param pool whose pages live there
     * @param transports the ways to them; closed with this
     * @param options what they can do and how they are used
     * @param budgetBytes the most that all of them may hold together
     */
    public Shards(PagePool pool, List<ShardTransport> transports, ShardOptions options, long budgetBytes) {
        this.pool = pool;
        this.placement = options.placement();
        this.overlap = options.overlap();
        List<ShardSpec> specs = options.shards();
        double capacities = specs.stream().mapToDouble(ShardSpec::capacity).sum();
        double weights = specs.stream()
                .mapToDouble(spec -> spec.capacity() * spec.speed())
                .sum();
        for (int i = 0; i < specs.size(); i++) {
            ShardSpec spec = specs.get(i);
            shards.add(new Shard(transports.get(i), spec.capacity() * spec.speed() / weights));
            pool.addShard(transports.get(i).slabs(), (long) (budgetBytes * spec.capacity() / capacities));
        }
    }

    /**
     * @param pool whose pages live there
     * @param backend what computes here
     * @param options what they can do and how they are used
     * @param budgetBytes the most that all of them may hold together
     * @return shards that are workers of this process, among which the backend's threads are shared out, at least one for each
     */
    public static Shards ofWorkers(PagePool pool, Backend backend, ShardOptions options, long budgetBytes) {
        int count = options.shards().size();
        List<ShardTransport> transports = new ArrayList<>();
        try {
            for (int shard = 0; shard < count; shard++) {
                transports.add(new WorkerShard(shard, backend.another(Math.max(1, backend.threads() / count))));
            }
            return new Shards(pool, transports, options, budgetBytes);
        } catch (Throwable t) {
            transports.forEach(ShardTransport::close);
            throw t;
        }
    }

    /**
     * @return what finds shards for the pages of a new sequence
     */
    public PagePlacer newSequence() {
        return new SequencePlacer(this, sequences++);
    }

    @Override
    public int count() {
        return shards.size();
    }

    @Override
    public double weight(int shard) {
        return shards.get(shard).weight;
    }

    @Override
    public long heldBytes(int shard) {
        return pool.heldBytes(shard);
    }

    /** Moves a page to the shard that the placement wants, or, where that has no room, to the one that has most. */
    void place(SequenceCache cache, int index, NewPage page) {
        int wanted = placement.shard(page, this);
        if (moved(cache, index, page, wanted)) {
            return;
        }
        List<Integer> others = IntStream.range(0, count())
                .filter(shard -> shard != wanted)
                .boxed()
                .sorted(Comparator.comparingDouble(shard -> heldBytes(shard) / weight(shard)))
                .toList();
        for (int other : others) {
            if (moved(cache, index, page, other)) {
                return;
            }
        }
    }

    private boolean moved(SequenceCache cache, int index, NewPage page, int to) {
        Shard shard = shards.get(to);
        if (shard.failed || !cache.place(page.layer(), page.kvHead(), index, to)) {
            return false;
        }
        shard.rowBytes.add(
                cache.table(page.layer(), page.kvHead()).page(index).layout().pageBytes());
        return true;
    }

    /**
     * Has a plan carried out: what lives here by somebody else, the rest by the shards.
     *
     * @param plan the plan, whose bounds nobody asked for
     * @param here does what lives here
     * @throws ShardFailedException if a shard has no answer
     */
    public void attend(AttentionPlan plan, Runnable here) {
        plan.start();
        List<ShardQuery> queries = plan.asked();
        List<CompletableFuture<ShardAnswer>> answers = new ArrayList<>();
        try {
            for (ShardQuery query : queries) {
                answers.add(ask(query));
            }
            if (!overlap) {
                answers.forEach(Shards::await);
            }
            here.run();
        } finally {
            answers.forEach(Shards::await); // whatever happens: until then the pages must stay
        }
        for (int i = 0; i < queries.size(); i++) {
            plan.answer(queries.get(i), answer(queries.get(i), answers.get(i)));
        }
    }

    private CompletableFuture<ShardAnswer> ask(ShardQuery query) {
        Shard shard = shards.get(query.shard());
        shard.queries.increment();
        shard.queryBytes.add(query.bytes());
        return shard.transport.attend(query);
    }

    private static void await(CompletableFuture<ShardAnswer> answer) {
        answer.handle((stands, failure) -> true).join();
    }

    private ShardAnswer answer(ShardQuery query, CompletableFuture<ShardAnswer> answered) {
        Shard shard = shards.get(query.shard());
        try {
            ShardAnswer answer = answered.join();
            shard.answerBytes.add(answer.bytes());
            return answer;
        } catch (CompletionException e) {
            shard.failed = true;
            throw new ShardFailedException(query.shard(), e.getCause());
        }
    }

    /**
     * @return what each shard holds and did; may be called by any thread
     */
    public List<ShardUsage> usage() {
        return IntStream.range(0, count())
                .mapToObj(i -> {
                    Shard shard = shards.get(i);
                    return new ShardUsage(
                            i,
                            pool.heldBytes(i),
                            pool.capacityBytes(i),
                            pool.pages(i),
                            shard.queries.sum(),
                            shard.queryBytes.sum(),
                            shard.answerBytes.sum(),
                            shard.rowBytes.sum());
                })
                .toList();
    }

    /** Ends the shards, which hold no page any more. */
    @Override
    public void close() {
        shards.forEach(shard -> shard.transport.close());
    }
}
