package org.pikv4j.shard;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;
import org.pikv4j.attention.AttentionPlan;
import org.pikv4j.attention.ShardAnswer;
import org.pikv4j.attention.ShardQuery;
import org.pikv4j.backend.Backend;
import org.pikv4j.cache.routing.ExpertLoad;
import org.pikv4j.cache.routing.NewPage;
import org.pikv4j.cache.routing.Placement;
import org.pikv4j.cache.routing.ShardLoads;
import org.pikv4j.cache.storage.Page;
import org.pikv4j.cache.storage.PagePlacer;
import org.pikv4j.cache.storage.PagePlacer.Placeable;
import org.pikv4j.cache.storage.PagePool;
import org.pikv4j.cache.storage.SequenceCache;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.error.ShardFailedException;

/**
 * The shards of an engine: finds places for full pages there, asks for the attention that is paid to them, and counts what went back
 * and forth. Called by the engine's thread, but for {@link #usage}.
 */
public final class Shards implements ShardLoads, AutoCloseable {
    private final PagePool pool;
    private Placement placement;
    private final boolean overlap;
    private final List<Shard> shards = new CopyOnWriteArrayList<>(); // read by whoever asks for the usage
    private final long budgetBytes;
    private long sequences;

    /** A shard, and what went to it and came from it. */
    private static final class Shard {
        final ShardTransport transport;
        final ShardSpec spec;
        volatile boolean open = true;
        final LongAdder queries = new LongAdder();
        final LongAdder queryBytes = new LongAdder();
        final LongAdder answerBytes = new LongAdder();
        final LongAdder rowBytes = new LongAdder();

        Shard(ShardTransport transport, ShardSpec spec) {
            this.transport = transport;
            this.spec = spec;
        }

        double weight() {
            return open ? spec.capacity() * spec.speed() : 0;
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
        this.budgetBytes = budgetBytes;
        double capacities =
                options.shards().stream().mapToDouble(ShardSpec::capacity).sum();
        for (int i = 0; i < options.shards().size(); i++) {
            add(transports.get(i), options.shards().get(i), capacities);
        }
    }

    private void add(ShardTransport transport, ShardSpec spec, double capacities) {
        pool.addShard(transport.slabs(), (long) (budgetBytes * spec.capacity() / capacities));
        shards.add(new Shard(transport, spec));
    }

    /**
     * Adds a shard, which gets pages from now on.
     *
     * @param transport the way to it; closed with this
     * @param spec what it can do
     */
    public void add(ShardTransport transport, ShardSpec spec) {
        add(
                transport,
                spec,
                spec.capacity()
                        + shards.stream()
                                .mapToDouble(shard -> shard.spec.capacity())
                                .sum());
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
        return shards.get(shard).weight()
                / shards.stream().mapToDouble(Shard::weight).sum();
    }

    @Override
    public long heldBytes(int shard) {
        return pool.heldBytes(shard);
    }

    /** Moves a page to the shard that the placement wants, or, where that has no room, to the one that has most. */
    void place(SequenceCache cache, int index, NewPage page) {
        if (shards.stream().noneMatch(shard -> shard.open)) {
            return;
        }
        int wanted = placement.shard(page, this);
        if (moved(cache, index, page, wanted)) {
            return;
        }
        List<Integer> others = IntStream.range(0, count())
                .filter(shard -> shard != wanted && weight(shard) > 0)
                .boxed()
                .sorted(Comparator.comparingDouble(shard -> heldBytes(shard) / weight(shard)))
                .toList();
        for (int other : others) {
            if (moved(cache, index, page, other)) {
                return;
            }
        }
    }

    /**
     * Places all pages anew, by what there is of each expert.
     *
     * @param caches all sequences
     * @return what it cost
     */
    public ShardMoves rebalance(List<SequenceCache> caches) {
        long started = System.nanoTime();
        Map<List<Integer>, Long> bytes = new HashMap<>();
        forEach(caches, (cache, placeable) -> {
            NewPage page = placeable.page();
            bytes.merge(List.of(page.layer(), page.expert()), bytes(cache, placeable), Long::sum);
        });
        List<ExpertLoad> loads = bytes.entrySet().stream()
                .map(load ->
                        new ExpertLoad(load.getKey().getFirst(), load.getKey().getLast(), load.getValue()))
                .sorted(Comparator.comparingInt(ExpertLoad::layer).thenComparingInt(ExpertLoad::expert))
                .toList();
        placement = placement.balanced(loads, this);
        long[] moved = new long[2];
        forEach(caches, (cache, placeable) -> {
            int before = shard(cache, placeable);
            place(cache, placeable.index(), placeable.page());
            if (shard(cache, placeable) != before) {
                moved[0]++;
                moved[1] += bytes(cache, placeable);
            }
        });
        return new ShardMoves(moved[0], moved[1], (System.nanoTime() - started) / 1e9);
    }

    /**
     * Gives a shard no more pages, and moves those that it has elsewhere.
     *
     * @param drained its number
     * @param caches all sequences
     * @return what it cost
     * @throws InvalidOptionException if there is no such shard
     */
    public ShardMoves drain(int drained, List<SequenceCache> caches) {
        if (drained < 0 || drained >= count()) {
            throw new InvalidOptionException("there is no shard " + drained + "; there are " + count());
        }
        shards.get(drained).open = false;
        ShardMoves moves = rebalance(caches);
        forEach(caches, (cache, placeable) -> {
            if (shard(cache, placeable) == drained) { // the others have no room
                NewPage page = placeable.page();
                cache.place(page.layer(), page.kvHead(), placeable.index(), Page.HERE);
            }
        });
        return moves;
    }

    private static int shard(SequenceCache cache, Placeable placeable) {
        return page(cache, placeable).shard();
    }

    private static long bytes(SequenceCache cache, Placeable placeable) {
        return page(cache, placeable).layout().pageBytes();
    }

    private static Page page(SequenceCache cache, Placeable placeable) {
        NewPage page = placeable.page();
        return cache.table(page.layer(), page.kvHead()).page(placeable.index());
    }

    /** All pages that can live anywhere, each once, whoever shares it. */
    private static void forEach(List<SequenceCache> caches, BiConsumer<SequenceCache, Placeable> action) {
        Set<Page> seen = new HashSet<>(); // pages are equal to themselves alone
        for (SequenceCache cache : caches) {
            for (Placeable placeable : cache.placer().orElseThrow().placeable(cache)) {
                if (seen.add(page(cache, placeable))) {
                    action.accept(cache, placeable);
                }
            }
        }
    }

    private boolean moved(SequenceCache cache, int index, NewPage page, int to) {
        Shard shard = shards.get(to);
        if (shard.open && cache.table(page.layer(), page.kvHead()).page(index).shard() == to) {
            return true;
        }
        if (!shard.open || !cache.place(page.layer(), page.kvHead(), index, to)) {
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
            shard.open = false;
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
