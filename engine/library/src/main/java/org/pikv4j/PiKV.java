package org.pikv4j;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.ServiceLoader;
import java.util.function.DoubleConsumer;
import java.util.function.Function;
import org.pikv4j.backend.Backend;
import org.pikv4j.backend.BackendOptions;
import org.pikv4j.backend.BackendProvider;
import org.pikv4j.backend.BackendStatus;
import org.pikv4j.backend.Backends;
import org.pikv4j.cache.compression.BasisSource;
import org.pikv4j.cache.compression.Codec;
import org.pikv4j.cache.compression.Codecs;
import org.pikv4j.cache.compression.FormChoice;
import org.pikv4j.cache.compression.FormSpec;
import org.pikv4j.cache.compression.PageForm;
import org.pikv4j.cache.control.Auto;
import org.pikv4j.cache.routing.PageRouter;
import org.pikv4j.cache.routing.Placement;
import org.pikv4j.cache.routing.RouteChoice;
import org.pikv4j.cache.routing.ShardRouter;
import org.pikv4j.cache.scheduling.EvictionPolicy;
import org.pikv4j.cache.scheduling.HeadScores;
import org.pikv4j.cache.scheduling.KvBudget;
import org.pikv4j.cache.scheduling.PolicyChoice;
import org.pikv4j.cache.storage.Residual;
import org.pikv4j.calibration.Calibration;
import org.pikv4j.error.ModelFormatException;
import org.pikv4j.extension.Extensions;
import org.pikv4j.model.LoadedModel;
import org.pikv4j.model.ModelConfig;
import org.pikv4j.model.ModelLoader;
import org.pikv4j.session.Engine;
import org.pikv4j.session.EngineOptions;
import org.pikv4j.shard.ShardOptions;
import org.pikv4j.shard.ShardSpec;

/**
 * Loads models and opens engines.
 *
 * <pre>{@code
 * try (Engine engine = PiKV.model(Path.of("my-model")).kvBudget("512MiB").open();
 *         Session session = engine.openSession()) {
 *     GenerationOptions options = GenerationOptions.from(engine.model().generationDefaults());
 *     session.generate("Once upon a time", options.withMaxTokens(64), System.out::print);
 * }
 * }</pre>
 *
 * <p>A builder is for one thread; an {@link Engine} is for any number. Everything that the caller can mend is thrown as a
 * {@link org.pikv4j.error.PiKVException}.
 */
public final class PiKV {
    /** Tokens per page where nothing else is said. */
    public static final int DEFAULT_PAGE_TOKENS = 64;
    /** Rows of a prefill chunk where nothing else is said. */
    public static final int DEFAULT_PREFILL_CHUNK = 256;

    private PiKV() {}

    /**
     * @param model a model's directory
     * @return a builder of an engine for it
     */
    public static Builder model(Path model) {
        return new Builder(model);
    }

    /**
     * Reads a model's shape without loading it.
     *
     * @param model a model's directory
     * @return its shape
     * @throws ModelFormatException if it cannot be read
     */
    public static ModelConfig config(Path model) {
        return loader(model).config(model);
    }

    /**
     * Opens a model alone, for who wants to look at it without running it. Its weights are mapped, not read.
     *
     * @param model a model's directory
     * @return the model, which the caller closes
     * @throws ModelFormatException if it cannot be read
     */
    public static LoadedModel load(Path model) {
        return loader(model).load(model, share -> {});
    }

    /**
     * @return the backends on the class path and whether they can run here, the preferred one first
     */
    public static Map<String, BackendStatus> backends() {
        Map<String, BackendStatus> statuses = new LinkedHashMap<>();
        for (BackendProvider provider : new Backends(List.of()).providers()) {
            statuses.put(provider.name(), provider.probe());
        }
        return statuses;
    }

    /**
     * @return the budget of the cache where nothing else is said: half of the memory that this process may use
     */
    public static long defaultKvBudget() {
        return memory() / 2;
    }

    /**
     * @return the memory that this process may use, in bytes
     */
    public static long memory() {
        OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
        return system.getTotalMemorySize();
    }

    private static ModelLoader loader(Path model) {
        if (!Files.exists(model)) {
            throw new ModelFormatException(model, "there is no such file or directory");
        }
        List<String> known = new ArrayList<>();
        for (ModelLoader loader : ServiceLoader.load(ModelLoader.class)) {
            if (loader.accepts(model)) {
                return loader;
            }
            known.add(loader.name());
        }
        throw new ModelFormatException(model, "is in none of the known formats: " + String.join(", ", known));
    }

    /** What an engine shall be like; everything has a default. */
    public static final class Builder {
        private final Path model;
        private final List<BackendProvider> providers = new ArrayList<>();
        private String backend = Backends.AUTO;
        private BackendOptions backendOptions = BackendOptions.defaults();
        private Function<BasisSource, FormChoice> forms = bases -> FormChoice.of(new PageForm(Codecs.BF16));
        private Optional<Path> calibration = Optional.empty();
        private Residual residual = Residual.DEFAULT;
        private int pageTokens = DEFAULT_PAGE_TOKENS;
        private KvBudget kvBudget = KvBudget.DEFAULT;
        private int prefillChunk = DEFAULT_PREFILL_CHUNK;
        private Optional<PolicyChoice> policy = Optional.empty();
        private Optional<PageRouter> router = Optional.empty();
        private Optional<ShardOptions> shards = Optional.empty();
        private Optional<RouteChoice> route = Optional.empty();
        private DoubleConsumer progress = share -> {};

        private Builder(Path model) {
            this.model = model;
        }

        /**
         * @param name {@code auto}, or the name of a backend
         */
        public Builder backend(String name) {
            backend = name;
            return this;
        }

        /**
         * Makes a backend known that is not on the class path as a service; choose it by its name.
         *
         * @param provider the backend's provider
         */
        public Builder backendProvider(BackendProvider provider) {
            providers.add(provider);
            return this;
        }

        /**
         * @param count threads that compute; by default one per core
         */
        public Builder threads(int count) {
            backendOptions = new BackendOptions(count);
            return this;
        }

        /**
         * @param spec how cached rows are stored: {@code bf16} (the default), {@code int8,int4} for keys and values, by layer
         *     {@code 0-1=bf16;2-=int8}; the names include those of {@link Codec}s on the class path
         * @see FormSpec
         */
        public Builder kvDtype(String spec) {
            FormSpec.parse(spec, BasisSource.NONE); // so that what cannot be understood is said here
            return kvForms(bases -> FormSpec.parse(spec, bases));
        }

        /**
         * @param codec how cached rows are stored
         */
        public Builder kvDtype(Codec codec) {
            return kvForms(FormChoice.of(new PageForm(codec)));
        }

        /**
         * @param choice how cached rows are stored, layer by layer and head by head
         */
        public Builder kvForms(FormChoice choice) {
            return kvForms(bases -> choice);
        }

        /**
         * @param choice chooses how cached rows are stored, given the bases of the calibration
         */
        public Builder kvForms(Function<BasisSource, FormChoice> choice) {
            forms = choice;
            return this;
        }

        /**
         * @param file bases fitted to this model, for forms such as {@code svd:32}, and what its heads lose, for the policy
         *     {@code duo}; the command {@code calibrate} writes it
         */
        public Builder kvCalibration(Path file) {
            calibration = Optional.of(file);
            return this;
        }

        /**
         * @param tokens newest tokens that stay exact where the cache is compressed; at most what a quarter of the budget
         *     holds
         */
        public Builder kvResidual(int tokens) {
            residual = new Residual(tokens, residual.sinks(), residual.interval());
            return this;
        }

        /**
         * @param tokens first tokens that stay exact where the cache is compressed
         */
        public Builder kvSinks(int tokens) {
            residual = new Residual(residual.tokens(), tokens, residual.interval());
            return this;
        }

        /**
         * @param bytes the most that the cache of all sessions may take
         */
        public Builder kvBudget(long bytes) {
            kvBudget = new KvBudget(OptionalLong.of(bytes), kvBudget.tokens());
            return this;
        }

        /**
         * @param budget bytes with a unit, {@code 512MiB}; tokens of each session, layer and KV head, {@code 1024tok}, or a
         *     share of them, {@code 25%}; or both with a comma between
         */
        public Builder kvBudget(String budget) {
            return kvBudget(KvBudget.parse(budget));
        }

        /**
         * @param budget what the cache of all sessions, and of each, may take
         */
        public Builder kvBudget(KvBudget budget) {
            kvBudget = budget;
            return this;
        }

        /**
         * @param tokens tokens per page, a multiple of 16
         */
        public Builder pageTokens(int tokens) {
            pageTokens = tokens;
            return this;
        }

        /**
         * @param rows tokens of a prompt that are read at once
         */
        public Builder prefillChunk(int rows) {
            prefillChunk = rows;
            return this;
        }

        /**
         * @param spec what gives way when a budget is reached, for instance {@code h2o} or {@code adakv(snapkv):window=64}; the
         *     names include those of {@link EvictionPolicy}s on the class path
         * @see PolicyChoice#parse
         */
        public Builder kvPolicy(String spec) {
            return kvPolicy(PolicyChoice.parse(spec));
        }

        /**
         * @param chosen what gives way when a budget is reached
         */
        public Builder kvPolicy(PolicyChoice chosen) {
            policy = Optional.of(chosen);
            return this;
        }

        /**
         * One controller for everything that gives way when the budget in bytes is reached: pages take smaller forms first, then tokens
         * go, always what costs the output least for its bytes. While everything fits it does nothing. Takes the place of {@link
         * #kvPolicy} and of a compressed {@link #kvDtype}.
         *
         * @see Engine#decisions
         * @see org.pikv4j.session.Session#kept
         */
        public Builder kvAuto() {
            return kvPolicy(new PolicyChoice(new Auto()));
        }

        /**
         * @param name name of a {@link PageRouter} on the class path
         */
        public Builder router(String name) {
            return router(Extensions.find("router", PageRouter.class, List.of(), name));
        }

        /**
         * @param chosen which pages queries read
         */
        public Builder router(PageRouter chosen) {
            router = Optional.of(chosen);
            return this;
        }

        /**
         * @param spec which expert shards queries read, for instance {@code query-centroid:k=2}; the names include those of {@link
         *     ShardRouter}s on the class path
         * @see RouteChoice#parse
         */
        public Builder route(String spec) {
            return route(RouteChoice.parse(spec));
        }

        /**
         * @param chosen which expert shards queries read
         */
        public Builder route(RouteChoice chosen) {
            route = Optional.of(chosen);
            return this;
        }

        /**
         * @param count places beside the engine's own where full pages live and are attended to, each with workers and memory of its
         *     own
         * @param placement which page goes where: {@code expert}, {@code hash} or {@code round-robin}, or a {@link Placement} on the
         *     class path
         */
        public Builder shards(int count, String placement) {
            return shards(ShardOptions.equal(count, ShardOptions.placement(placement)));
        }

        /**
         * @param specs what each of them can do: pages are shared out by capacity times speed
         * @param placement which page goes where
         * @see #shards(int, String)
         */
        public Builder shards(List<ShardSpec> specs, String placement) {
            return shards(new ShardOptions(specs, ShardOptions.placement(placement)));
        }

        /**
         * @param chosen places beside the engine's own where full pages live
         */
        public Builder shards(ShardOptions chosen) {
            shards = Optional.of(chosen);
            return this;
        }

        /**
         * @param listener hears of the share loaded, 0 to 1
         */
        public Builder progress(DoubleConsumer listener) {
            progress = listener;
            return this;
        }

        /**
         * Loads the model and starts the engine.
         *
         * @return the engine, which the caller closes
         * @throws org.pikv4j.error.PiKVException if the model, the backend or an option is at fault
         */
        public Engine open() {
            Optional<Calibration> fitted = calibration.map(Calibration::read);
            EngineOptions options = new EngineOptions(
                    forms.apply(fitted.map(BasisSource.class::cast).orElse(BasisSource.NONE)),
                    residual,
                    pageTokens,
                    kvBudget.bytes().orElseGet(PiKV::defaultKvBudget),
                    prefillChunk,
                    kvBudget.tokens(),
                    policy.map(chosen ->
                            chosen.calibrated(fitted.map(HeadScores.class::cast).orElse(HeadScores.NONE))),
                    router,
                    shards,
                    route);
            LoadedModel loaded = loader(model).load(model, progress);
            Backend opened;
            try {
                fitted.ifPresent(bases -> bases.check(loaded));
                opened = new Backends(providers).open(backend, backendOptions);
            } catch (RuntimeException e) {
                loaded.close();
                throw e;
            }
            return new Engine(loaded, opened, options);
        }
    }
}
