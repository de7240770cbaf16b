package org.pikv4j.session;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.pikv4j.backend.Backend;
import org.pikv4j.cache.control.BudgetController;
import org.pikv4j.cache.control.Decisions;
import org.pikv4j.cache.control.KeptPages;
import org.pikv4j.cache.control.Ladder;
import org.pikv4j.cache.routing.RouteChoice;
import org.pikv4j.cache.routing.RoutingCounters;
import org.pikv4j.cache.routing.RoutingUsage;
import org.pikv4j.cache.routing.SequenceRouting;
import org.pikv4j.cache.scheduling.CacheSchedule;
import org.pikv4j.cache.scheduling.PolicyChoice;
import org.pikv4j.cache.storage.CacheLayout;
import org.pikv4j.cache.storage.CacheManagers;
import org.pikv4j.cache.storage.CacheUsage;
import org.pikv4j.cache.storage.PagePool;
import org.pikv4j.cache.storage.Residual;
import org.pikv4j.cache.storage.SecondTier;
import org.pikv4j.cache.storage.SequenceCache;
import org.pikv4j.decode.Decoder;
import org.pikv4j.decode.LogitsSink;
import org.pikv4j.error.ContextLengthException;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.error.SessionStateException;
import org.pikv4j.memory.ByteSize;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.model.LayerSpec;
import org.pikv4j.model.LoadedModel;
import org.pikv4j.model.ModelConfig;
import org.pikv4j.shard.MoveListener;
import org.pikv4j.shard.ShardMoves;
import org.pikv4j.shard.ShardSpec;
import org.pikv4j.shard.ShardStats;
import org.pikv4j.shard.ShardUsage;
import org.pikv4j.shard.Shards;
import org.pikv4j.text.TokenStream;

/**
 * A model, a backend and a cache with a budget, serving any number of sessions. Owns all three: closing the engine closes
 * its sessions, frees the cache, ends the backend's threads and unmaps the model.
 *
 * <p><b>Threads.</b> All methods may be called by any thread at any time.
 */
public final class Engine implements AutoCloseable {
    private final LoadedModel model;
    private final Backend backend;
    private final EngineOptions options;
    private final CacheLayout layout;
    private final Optional<CacheSchedule> schedule; // of a new session
    private final PagePool pool;
    private final Optional<Shards> shards;
    private final Optional<RouteChoice> route;
    private final RoutingCounters routed;
    private final ExecutorService sealer;
    private final Replays replays;
    private final ExecutorService prefetcher; // without a thread until something is to be read
    private final Optional<OneBudget> auto;
    private final EngineLoop loop;
    private final Set<Session> sessions = new LinkedHashSet<>(); // touched by the loop alone, until it ends
    private boolean closed;

    /**
     * @param model the model; closed with the engine, or at once where this throws
     * @param backend the backend; likewise
     * @param options how the cache is kept
     * @throws InvalidOptionException if the budget is too small for a single token
     */
    public Engine(LoadedModel model, Backend backend, EngineOptions options) {
        this.model = model;
        this.backend = backend;
        this.options = options;
        Optional<Shards> made = Optional.empty();
        try {
            check(options, model.config());
            List<Integer> experts = model.config().experts();
            route = options.route().map(choice -> choice.checked(experts));
            routed = new RoutingCounters(experts.stream()
                    .map(count -> route.map(choice -> choice.shards(count)).orElse(0))
                    .toList());
            layout = layout(model.config(), options);
            long least = layout.smallestSequenceBytes();
            if (options.kvBudgetBytes() < least) {
                throw new InvalidOptionException("kv-budget " + ByteSize.format(options.kvBudgetBytes())
                        + " is too small: one page of " + options.pageTokens()
                        + " tokens for every layer and KV head takes "
                        + ByteSize.format(least));
            }
            schedule = schedule(model.config(), options, layout);
            Optional<Ladder> ladder = options.auto().map(any -> ladder(layout, options));
            long kept = ladder.map(forms -> forms.keptBytes(options.kvBudgetBytes()))
                    .orElse(0L);
            pool = ladder.isPresent()
                    ? new PagePool(backend.slabs(), options.kvBudgetBytes(), kept)
                    : new PagePool(backend.slabs(), options.kvBudgetBytes());
            route.ifPresent(choice -> pool.measureLoss());
            Optional<BudgetController> controller = ladder.map(forms -> new BudgetController(
                    forms, pool, options.auto().orElseThrow().protection()));
            MoveListener moves = controller
                    .<MoveListener>map(log ->
                            (page, held, from) -> log.moved(page.layer(), page.kvHead(), page.tokens(), held, from))
                    .orElse(MoveListener.NONE);
            made = options.shards().map(of -> Shards.ofWorkers(pool, backend, of, options.kvBudgetBytes(), moves));
            shards = made;
            sealer = thread("pikv-sealer");
            prefetcher = thread("pikv-prefetcher");
            Decoder decoder = new Decoder(
                    model.config(), model.weights(), backend, options.prefillChunk(), options.reads(), shards);
            replays = new Replays(decoder, model);
            auto = controller.map(decides ->
                    new OneBudget(decides, replays, () -> List.copyOf(sessions), options.kvBudgetBytes() - kept));
            loop = new EngineLoop(decoder, replays, this::batchDone, auto);
        } catch (Throwable t) {
            made.ifPresent(Shards::close);
            backend.close();
            model.close();
            throw t;
        }
    }

    private static ExecutorService thread(String name) {
        return Executors.newSingleThreadExecutor(
                Thread.ofPlatform().daemon(true).name(name).factory());
    }

    public LoadedModel model() {
        return model;
    }

    public Backend backend() {
        return backend;
    }

    public EngineOptions options() {
        return options;
    }

    private static Ladder ladder(CacheLayout layout, EngineOptions options) {
        Ladder ladder = Ladder.of(layout);
        long least = layout.smallestSequenceBytes() + ladder.keptBytes(options.kvBudgetBytes());
        if (options.kvBudgetBytes() < least) {
            throw new InvalidOptionException("kv-budget " + ByteSize.format(options.kvBudgetBytes())
                    + " is too small for kv auto: a page of " + options.pageTokens()
                    + " tokens for every layer and KV head, and one to bring another into a smaller form, take "
                    + ByteSize.format(least));
        }
        return ladder;
    }

    private static CacheLayout layout(ModelConfig config, EngineOptions options) {
        CacheLayout wanted =
                CacheLayout.of(config, options.forms(), options.pageTokens(), options.residual(), options.room());
        if (!wanted.compressed()) {
            return wanted;
        }
        if (options.auto().isPresent()) {
            throw new InvalidOptionException("kv auto chooses forms itself, page by page: kv-dtype "
                    + options.forms().name() + " leaves it nothing to choose");
        }
        Residual residual = options.residualWithin(wanted.openBytesPerToken());
        return CacheLayout.of(config, options.forms(), options.pageTokens(), residual, options.room());
    }

    /**
     * @return the cache's account, all sessions together
     */
    public CacheUsage usage() {
        return pool.usage();
    }

    /**
     * @return what {@code --kv auto} has decided so far, all sessions together; empty where something else decides
     */
    public Optional<Decisions> decisions() {
        return auto.map(one -> one.controller().decisions());
    }

    /**
     * @return what each shard of the cache holds and did; empty where there is none
     */
    public List<ShardUsage> shards() {
        return shards.map(Shards::usage).orElse(List.of());
    }

    /**
     * @return what queries that chose among expert shards have read; empty where none do
     */
    public Optional<RoutingUsage> routing() {
        return route.map(choice -> routed.usage());
    }

    /**
     * @return what working with shards has cost; nothing where there is none
     */
    public ShardStats shardStats() {
        return shards.map(Shards::stats).orElse(ShardStats.NONE);
    }

    /**
     * Places all pages of the cache anew, so that every shard has its share, while sessions go on; what they generate is the same.
     *
     * @return what it cost
     * @throws InvalidOptionException if the cache has no shards
     */
    public ShardMoves rebalance() {
        return call(() -> sharded().rebalance(caches()));
    }

    /**
     * Adds a shard, which gets pages from now on; {@link #rebalance} gives it some of those that there are.
     *
     * @param spec what it can do
     * @throws InvalidOptionException if the cache has no shards, or has as many as there can be
     */
    public void addShard(ShardSpec spec) {
        call(() -> {
            Shards all = sharded();
            all.add(spec);
            return all;
        });
    }

    /**
     * Takes all pages from a shard, and gives it no more. What no other shard has room for comes back to the engine; what has no room
     * there either is {@linkplain ShardMoves#left left} for another time.
     *
     * @param shard its number
     * @return what it cost
     * @throws InvalidOptionException if there is no such shard
     */
    public ShardMoves drainShard(int shard) {
        return call(() -> sharded().drain(shard, caches()));
    }

    private Shards sharded() {
        return shards.orElseThrow(() -> new InvalidOptionException("the cache has no shards"));
    }

    /** Runs on the engine's thread. */
    private void batchDone(int rows) {
        shards.ifPresent(all -> all.batchDone(rows, this::caches));
    }

    private List<SequenceCache> caches() {
        return sessions.stream().map(Session::cache).toList();
    }

    /**
     * @return an empty session, which the caller closes
     */
    public Session openSession() {
        return call(() -> adopt(new Session(
                this,
                new TokenList(),
                new SequenceCache(
                        layout,
                        pool,
                        sealer,
                        new CacheManagers(
                                schedule.map(CacheSchedule::copy),
                                secondTier(),
                                shards.map(Shards::newSequence),
                                route.map(this::routing))))));
    }

    private SequenceRouting routing(RouteChoice choice) {
        List<Integer> kvHeads =
                layers(model.config()).stream().map(AttentionSpec::kvHeads).toList();
        return new SequenceRouting(choice, model.config().experts(), kvHeads, routed);
    }

    private Optional<SecondTier> secondTier() {
        return options.policy()
                .flatMap(PolicyChoice::placement)
                .map(policy -> new SecondTier(policy.directory(), prefetcher));
    }

    private static void check(EngineOptions options, ModelConfig config) {
        List<AttentionSpec> layers = layers(config);
        options.policy().ifPresent(choice -> choice.policy().check(layers));
        options.router().ifPresent(router -> router.check(layers));
    }

    private static List<AttentionSpec> layers(ModelConfig config) {
        return config.layers().stream().map(LayerSpec::attention).toList();
    }

    private static Optional<CacheSchedule> schedule(ModelConfig config, EngineOptions options, CacheLayout layout) {
        return options.policy().isEmpty() && options.tokenBudget().isEmpty()
                ? Optional.empty()
                : Optional.of(new CacheSchedule(
                        options.policy(), options.tokenBudget(), layout, layers(config), options.prefillChunk()));
    }

    /** Runs on the engine's thread. */
    void cut(Session session, int tokens) {
        if (auto.isPresent()) {
            throw new InvalidOptionException("kv auto counts bytes, not tokens: shrink the session instead");
        }
        SequenceCache cache = session.cache();
        CacheSchedule evicts = cache.schedule()
                .orElseThrow(
                        () -> new InvalidOptionException("kv-policy is missing: nothing says what may be evicted"));
        evicts.replayDue(cache).ifPresent(replay -> replays.run(session, replay));
        evicts.cut(cache, tokens);
    }

    /** Runs on the engine's thread. */
    void shrink(Session session, long bytes) {
        auto.orElseThrow(() -> new InvalidOptionException("kv auto is not on: nothing says how a session gets smaller"))
                .shrink(session, bytes);
    }

    /** Runs on the engine's thread. */
    List<KeptPages> kept(Session session) {
        return auto.map(one -> one.controller().kept(session.cache())).orElse(List.of());
    }

    /** Runs on the engine's thread. */
    Session adopt(Session session) {
        sessions.add(session);
        return session;
    }

    <T> T call(Supplier<T> action) {
        return loop.call(action);
    }

    /** Runs on the caller's thread: the listener is called here. */
    GenerationResult generate(
            Session session, int[] prompt, GenerationOptions how, GenerationListener listener, long started) {
        checkRoom(session, prompt);
        long seed = how.seed().orElseGet(() -> new SplittableRandom().nextLong());
        TokenStream stream = model.hasTokenizer() ? model.tokenizer().stream(true) : new NoText();
        GenerationRequest request =
                loop.submit(() -> new GenerationRequest(this, session, prompt, stream, how, seed, started));
        boolean interrupted = false;
        @Nullable Throwable listenerFailure = null;
        try {
            while (true) {
                try {
                    switch (request.events().take()) {
                        case GenerationRequest.Event.Progress progress -> {
                            if (listenerFailure == null) {
                                listenerFailure = tell(listener, progress);
                            }
                            if (listenerFailure != null) {
                                session.cancel();
                            }
                        }
                        case GenerationRequest.Event.Done(GenerationResult result) -> {
                            if (listenerFailure != null) {
                                throw EngineLoop.rethrow(listenerFailure);
                            }
                            return result;
                        }
                        case GenerationRequest.Event.Failed(Throwable cause) -> throw EngineLoop.rethrow(cause);
                    }
                } catch (InterruptedException e) {
                    interrupted = true;
                    session.cancel();
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** The text of a model without a tokenizer. */
    private record NoText() implements TokenStream {
        @Override
        public String accept(int id) {
            return "";
        }

        @Override
        public String finish() {
            return "";
        }
    }

    /** What a listener throws ends the generation, and reaches the caller when the session is free again. */
    private static @Nullable Throwable tell(GenerationListener listener, GenerationRequest.Event.Progress progress) {
        try {
            progress.tell(listener);
            return null;
        } catch (Throwable t) {
            return t;
        }
    }

    void feed(Session session, int[] ids, Optional<LogitsSink> sink) {
        checkRoom(session, ids);
        FeedRequest request = loop.submit(() -> new FeedRequest(session, ids, sink));
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    request.done().get();
                    return;
                } catch (InterruptedException e) {
                    interrupted = true;
                    session.cancel();
                } catch (ExecutionException e) {
                    throw EngineLoop.rethrow(e.getCause() == null ? e : e.getCause());
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void checkRoom(Session session, int[] more) {
        long length = (long) session.tokenList().size() + more.length;
        if (length == 0) {
            throw new InvalidOptionException("the prompt is empty: there is nothing to continue");
        }
        if (length > model.config().maxPositions()) {
            throw new ContextLengthException(length, model.config().maxPositions());
        }
    }

    void close(Session session) {
        try {
            call(() -> {
                session.cache().close();
                return sessions.remove(session);
            });
        } catch (SessionStateException e) {
            // The engine is closed, and has closed its sessions.
        }
    }

    /** Ends what is under way and frees everything; idempotent. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        loop.stop();
        closed = true; // whatever happens below: a second attempt would free twice
        List<AutoCloseable> owned = new ArrayList<>();
        sessions.forEach(session -> owned.add(session.cache()));
        // The sealer lets go of the last pages first.
        owned.addAll(List.<AutoCloseable>of(() -> stop(sealer), () -> stop(prefetcher), pool));
        shards.ifPresent(owned::add);
        owned.addAll(List.of(backend, model));
        closeAll(owned);
    }

    /** Lets a thread come to its end also where this one is interrupted: pages would be left behind otherwise. */
    private static void stop(ExecutorService executor) {
        executor.shutdown();
        boolean interrupted = Thread.interrupted();
        boolean stopped = false;
        while (!stopped) {
            try {
                stopped = executor.awaitTermination(1, TimeUnit.HOURS);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Closes everything, also where one of them fails; the first failure is thrown, with the others suppressed. */
    private static void closeAll(List<AutoCloseable> owned) {
        @Nullable Throwable first = null;
        for (AutoCloseable resource : owned) {
            try {
                resource.close();
            } catch (Throwable t) {
                if (first == null) {
                    first = t;
                } else {
                    first.addSuppressed(t);
                }
            }
        }
        if (first != null) {
            throw EngineLoop.rethrow(first);
        }
    }
}
