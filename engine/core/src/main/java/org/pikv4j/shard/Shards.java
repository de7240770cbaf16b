package org.pikv4j.shard;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.pikv4j.attention.AttentionPlan;
import org.pikv4j.attention.ShardAnswer;
import org.pikv4j.attention.ShardQuery;
import org.pikv4j.backend.Backend;
import org.pikv4j.cache.routing.NewPage;
import org.pikv4j.cache.routing.Placement;
import org.pikv4j.cache.routing.ShardLoads;
import org.pikv4j.cache.storage.Page;
import org.pikv4j.cache.storage.PagePlacer;
import org.pikv4j.cache.storage.PagePool;
import org.pikv4j.cache.storage.SequenceCache;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.error.KvBudgetExceededException;
import org.pikv4j.error.ShardFailedException;

/**
 * The shards of an engine: finds places for full pages there, asks for the attention that is paid to them, and counts what went back
 * and forth. Called by the engine's thread, but for {@link #usage} and {@link #stats}.
 */
public final class Shards implements ShardLoads, AutoCloseable {
    /** Tokens after which what was read counts half. */
    private static final int HALF_LIFE_TOKENS = 512;

    private final PagePool pool;
    private final IntFunction<ShardTransport> transports;
    private final boolean overlap;
    private final long budgetBytes;
    private final Rebalancer rebalancer;
    private final List<Shard> shards = new CopyOnWriteArrayList<>(); // read by whoever asks for the usage
    private volatile double[] weights = {}; // likewise; replaced, never written
    private Placement placement;
    private final LongAdder engineNanos = new LongAdder();
    private final LongAdder waitNanos = new LongAdder();
    private long sequences;
    private long names;
    private long tokens;

    /**
     * @param pool whose pages live there
     * @param transports makes the way to a shard, by its number; closed with this
     * @param options what they can do and how they are used
     * @param budgetBytes the most that all of them may hold together
     * @param moves hears of pages that are placed anew
     */
    public Shards(
            PagePool pool,
            IntFunction<ShardTransport> transports,
            ShardOptions options,
            long budgetBytes,
            MoveListener moves) {
        this.pool = pool;
        this.transports = transports;
        this.placement = options.placement();
        this.overlap = options.overlap();
        this.budgetBytes = budgetBytes;
        this.rebalancer = new Rebalancer(this, options.rebalance(), moves);
        double capacities =
                options.shards().stream().mapToDouble(ShardSpec::capacity).sum();
        try {
            options.shards().forEach(spec -> add(spec, capacities));
        } catch (Throwable t) {
            close();
            throw t;
        }
    }

    private void add(ShardSpec spec, double capacities) {
        ShardTransport transport = transports.apply(count());
        try {
            pool.addShard(transport.slabs(), (long) (budgetBytes * spec.capacity() / capacities));
        } catch (Throwable t) {
            transport.close();
            throw t;
        }
        shards.add(new Shard(transport, spec));
        weigh();
    }

    /**
     * Adds a shard, which gets pages from now on.
     *
     * @param spec what it can do
     * @throws InvalidOptionException if there are as many as there can be
     */
    public void add(ShardSpec spec) {
        if (count() == ShardOptions.MOST) {
            throw new InvalidOptionException("there are " + count() + " shards, and cannot be more");
        }
        double others = shards.stream()
                .filter(Shard::open)
                .mapToDouble(shard -> shard.spec().capacity())
                .sum();
        add(spec, spec.capacity() + others);
    }

    /**
     * @param pool whose pages live there
     * @param backend what computes here
     * @param options what they can do and how they are used
     * @param budgetBytes the most that all of them may hold together
     * @param moves hears of pages that are placed anew
     * @return shards that are workers of this process, among which the backend's threads are shared out, at least one for each; one that
     *     is added gets as many as each of the first
     */
    public static Shards ofWorkers(
            PagePool pool, Backend backend, ShardOptions options, long budgetBytes, MoveListener moves) {
        int threads = Math.max(1, backend.threads() / options.shards().size());
        return new Shards(
                pool, number -> new WorkerShard(number, backend.another(threads)), options, budgetBytes, moves);
    }

    /**
     * @return what finds shards for the pages of a new sequence
     */
    public PagePlacer newSequence() {
        return new SequencePlacer(this, sequences++);
    }

    PageNames newNames() {
        return new PageNames(names++);
    }

    private void weigh() {
        double all = shards.stream().mapToDouble(Shard::weight).sum();
        weights = shards.stream()
                .mapToDouble(shard -> all > 0 ? shard.weight() / all : 0)
                .toArray();
    }

    @Override
    public int count() {
        return shards.size();
    }

    @Override
    public double weight(int shard) {
        return weights[shard];
    }

    @Override
    public long heldBytes(int shard) {
        return pool.heldBytes(shard);
    }

    /** Whether none gets pages. */
    boolean allShut() {
        return shards.stream().noneMatch(Shard::open);
    }

    /** Moves a page that is here to the shard that the placement wants, or, where that has no room, to another; says whether one had. */
    boolean place(SequenceCache cache, int index, NewPage page) {
        if (allShut() || !moveFrom(Page.HERE, cache, index, page, wanted(placement, page, this))) {
            return false;
        }
        name(cache, page, cache.table(page.layer(), page.kvHead()).page(index));
        return true;
    }

    /** The shard that a placement chooses. */
    static int wanted(Placement by, NewPage page, ShardLoads shards) {
        int wanted = by.shard(page, shards);
        if (wanted < 0 || wanted >= shards.count()) {
            throw new IllegalStateException("%s chose shard %d, of %d".formatted(by.name(), wanted, shards.count()));
        }
        return wanted;
    }

    /**
     * Moves a page where it shall go. Where there is no room it stays on an open shard, or goes to the emptiest that has some; from one
     * that is shut it may come back here.
     *
     * @param from where it is
     * @param wanted where it shall go
     * @return whether it is on an open shard then, or has left one that is shut
     */
    boolean moveFrom(int from, SequenceCache cache, int index, NewPage page, int wanted) {
        if (moved(cache, index, page, wanted)) {
            return true;
        }
        if (from != Page.HERE && shards.get(from).open()) {
            return true;
        }
        List<Integer> others = IntStream.range(0, count())
                .filter(shard -> shard != wanted)
                .boxed()
                .sorted(Comparator.comparingDouble(shard -> heldBytes(shard) / weight(shard)))
                .toList();
        for (int other : others) {
            if (moved(cache, index, page, other)) {
                return true;
            }
        }
        return from != Page.HERE && moved(cache, index, page, Page.HERE);
    }

    private boolean moved(SequenceCache cache, int index, NewPage page, int to) {
        Page held = cache.table(page.layer(), page.kvHead()).page(index);
        if (to != Page.HERE && !shards.get(to).open()) {
            return false;
        }
        if (held.shard() != to) {
            if (!hasRoom(cache, index, page, to)) {
                return false;
            }
            if (to != Page.HERE) {
                shards.get(to).received(held.layout().pageBytes());
            }
        }
        return true;
    }

    private static boolean hasRoom(SequenceCache cache, int index, NewPage page, int to) {
        try {
            return cache.place(page.layer(), page.kvHead(), index, to);
        } catch (KvBudgetExceededException e) {
            return false; // the system has no memory: the page is as good where it is
        }
    }

    /** Tells a shard what a page that it has is called. */
    void name(SequenceCache cache, NewPage page, Page held) {
        held.named(cache.placer().orElseThrow().name(held.shard(), page.layer(), page.kvHead()));
        shards.get(held.shard()).named();
    }

    /** A page has changed where it is: its shard has been told, by its name. */
    void told(Page page) {
        if (page.shard() != Page.HERE) {
            shards.get(page.shard()).named();
        }
    }

    Placement placement() {
        return placement;
    }

    void placement(Placement next) {
        placement = next;
    }

    int epoch() {
        return (int) (tokens / HALF_LIFE_TOKENS);
    }

    /**
     * Places all pages anew, by what is held and read of each expert.
     *
     * @param caches all sequences
     * @return what it cost
     */
    public ShardMoves rebalance(List<SequenceCache> caches) {
        return rebalancer.rebalance(caches);
    }

    /**
     * A batch is done: pages are placed anew if the time has come.
     *
     * @param rows its rows
     * @param caches all sequences
     */
    public void batchDone(int rows, Supplier<List<SequenceCache>> caches) {
        tokens += rows;
        rebalancer.look(tokens, caches);
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
        shut(drained);
        ShardMoves moves = rebalance(caches);
        // One that is being written again, and shared, goes when it is copied.
        return new ShardMoves(
                moves.pages(), moves.bytes(), Math.max(moves.left(), pool.pages(drained)), moves.seconds());
    }

    private void shut(int shard) {
        shards.get(shard).shut();
        weigh();
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
        if (queries.isEmpty()) {
            here.run();
            return;
        }
        List<CompletableFuture<ShardAnswer>> answers = new ArrayList<>();
        try {
            for (ShardQuery query : queries) {
                answers.add(shards.get(query.shard()).ask(query, epoch()));
            }
            if (!overlap) {
                await(answers);
            }
            long started = System.nanoTime();
            here.run();
            engineNanos.add(System.nanoTime() - started);
        } finally {
            await(answers); // whatever happens: until then the pages must stay
        }
        List<ShardFailedException> failures = new ArrayList<>();
        for (int i = 0; i < queries.size(); i++) {
            ShardQuery query = queries.get(i);
            try {
                ShardAnswer answer = answers.get(i).join();
                shards.get(query.shard()).answered(answer);
                plan.answer(query, answer);
            } catch (CompletionException | CancellationException e) {
                shut(query.shard());
                failures.add(new ShardFailedException(query.shard(), e.getCause() == null ? e : e.getCause()));
            }
        }
        if (!failures.isEmpty()) {
            throw failures.getFirst();
        }
    }

    private void await(List<CompletableFuture<ShardAnswer>> answers) {
        long started = System.nanoTime();
        answers.forEach(answer -> answer.handle((stands, failure) -> true).join());
        waitNanos.add(System.nanoTime() - started);
    }

    /**
     * @return what each shard holds and did; may be called by any thread
     */
    public List<ShardUsage> usage() {
        double[] shares = weights;
        return IntStream.range(0, shares.length)
                .mapToObj(
                        i -> shards.get(i).usage(i, shares[i], pool.heldBytes(i), pool.capacityBytes(i), pool.pages(i)))
                .toList();
    }

    /**
     * @return what working with shards has cost; may be called by any thread
     */
    public ShardStats stats() {
        Rebalancer.Count rebalances = rebalancer.count();
        return new ShardStats(
                overlap, engineNanos.sum() / 1e9, waitNanos.sum() / 1e9, rebalances.times(), rebalances.moves());
    }

    /** Ends the shards, which hold no page any more. */
    @Override
    public void close() {
        shards.forEach(Shard::close);
    }
}
