package org.pikv4j.cli;

import java.nio.file.Path;
import java.util.Optional;
import org.pikv4j.PiKV;
import org.pikv4j.backend.Backends;
import org.pikv4j.cache.scheduling.KvBudget;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options of every command that runs a model, whatever its cache is kept in. */
@Command(optionListHeading = "%nModel, cache and backend:%n")
public final class ModelRunOptions {
    @Mixin
    private final ModelOption model = new ModelOption();

    @Option(
            names = "--backend",
            paramLabel = "NAME",
            order = 1,
            description = "What computes: auto, vector, scalar or tornado (default: ${DEFAULT-VALUE}; see the command"
                    + " backends).")
    private String backend = Backends.AUTO;

    @Option(
            names = "--threads",
            paramLabel = "N",
            order = 2,
            description = "Threads that compute (default: one per core).")
    private Optional<Integer> threads = Optional.empty();

    @Option(
            names = "--kv-budget",
            paramLabel = "SIZE",
            order = 4,
            converter = KvBudgetConverter.class,
            description = "The most that the cache may take, for instance 512MiB (default: half of the memory); and the"
                    + " most tokens that a session may keep in each layer and KV head, 1024tok or 25%%.")
    private Optional<KvBudget> kvBudget = Optional.empty();

    @Option(
            names = "--page-tokens",
            paramLabel = "N",
            order = 5,
            description = "Tokens per page of the cache, a multiple of 16 (default: ${DEFAULT-VALUE}).")
    private int pageTokens;

    @Option(
            names = "--prefill-chunk",
            paramLabel = "N",
            order = 6,
            description = "Tokens of a prompt that are read at once (default: ${DEFAULT-VALUE}).")
    private int prefillChunk;

    /** With the library's defaults. */
    public ModelRunOptions() {
        this(PiKV.DEFAULT_PAGE_TOKENS, PiKV.DEFAULT_PREFILL_CHUNK);
    }

    /**
     * @param pageTokens the command's default of {@code --page-tokens}
     * @param prefillChunk the command's default of {@code --prefill-chunk}
     */
    public ModelRunOptions(int pageTokens, int prefillChunk) {
        this.pageTokens = pageTokens;
        this.prefillChunk = prefillChunk;
    }

    /**
     * @return the model asked for, or the demo model; the caller closes it
     */
    public ModelSource model() {
        return model.source();
    }

    /**
     * @return the budget asked for
     */
    public Optional<KvBudget> kvBudget() {
        return kvBudget;
    }

    /**
     * @param directory a model's directory
     * @return a builder of its engine that follows the options
     */
    public PiKV.Builder builder(Path directory) {
        PiKV.Builder builder =
                PiKV.model(directory).backend(backend).pageTokens(pageTokens).prefillChunk(prefillChunk);
        threads.ifPresent(builder::threads);
        kvBudget.ifPresent(builder::kvBudget);
        return builder;
    }
}
