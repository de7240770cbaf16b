package org.pikv4j.cli;

import java.nio.file.Path;
import java.util.Optional;
import java.util.function.DoubleConsumer;
import org.pikv4j.PiKV;
import org.pikv4j.backend.Backends;
import org.pikv4j.cache.storage.Residual;
import org.pikv4j.session.Engine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options of every command that runs a model. */
@Command(optionListHeading = "%nModel, cache and backend:%n")
public final class EngineOptionsMixin {
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
            names = "--kv-dtype",
            paramLabel = "TYPE",
            order = 3,
            description = "How keys and values are cached: bf16, f32, int8, int4, 'int8,int4' for keys and values,"
                    + " '0-1=bf16;2-=int8' by layer; the README lists them all (default: ${DEFAULT-VALUE}).")
    private String kvDtype;

    @Option(
            names = "--kv-budget",
            paramLabel = "SIZE",
            order = 4,
            converter = ByteSizeConverter.class,
            description = "The most that the cache may take, for instance 512MiB (default: half of the memory).")
    private Optional<Long> kvBudget = Optional.empty();

    @Option(
            names = "--kv-calibration",
            paramLabel = "FILE",
            order = 7,
            description = "Bases fitted to the model, for types such as svd:32; the command calibrate writes it.")
    private Optional<Path> kvCalibration = Optional.empty();

    @Option(
            names = "--kv-residual",
            paramLabel = "N",
            order = 8,
            description = "Newest tokens that stay exact where the cache is compressed (default: ${DEFAULT-VALUE}).")
    private int kvResidual = Residual.DEFAULT.tokens();

    @Option(
            names = "--kv-sinks",
            paramLabel = "N",
            order = 9,
            description = "First tokens that stay exact where the cache is compressed (default: ${DEFAULT-VALUE}).")
    private int kvSinks = Residual.DEFAULT.sinks();

    @Option(
            names = "--page-tokens",
            paramLabel = "N",
            order = 5,
            description = "Tokens per page of the cache, a multiple of 16 (default: ${DEFAULT-VALUE}).")
    private int pageTokens = PiKV.DEFAULT_PAGE_TOKENS;

    @Option(
            names = "--prefill-chunk",
            paramLabel = "N",
            order = 6,
            description = "Tokens of a prompt that are read at once (default: ${DEFAULT-VALUE}).")
    private int prefillChunk = PiKV.DEFAULT_PREFILL_CHUNK;

    /**
     * @param kvDtype the command's default of {@code --kv-dtype}
     */
    public EngineOptionsMixin(String kvDtype) {
        this.kvDtype = kvDtype;
    }

    /**
     * @return the model asked for, or the demo model; the caller closes it
     */
    public ModelSource model() {
        return model.source();
    }

    /**
     * @param directory a model's directory
     * @return a builder of its engine that follows the options
     */
    public PiKV.Builder builder(Path directory) {
        PiKV.Builder builder = PiKV.model(directory)
                .backend(backend)
                .kvDtype(kvDtype)
                .kvResidual(kvResidual)
                .kvSinks(kvSinks)
                .pageTokens(pageTokens)
                .prefillChunk(prefillChunk);
        threads.ifPresent(builder::threads);
        kvBudget.ifPresent(builder::kvBudget);
        kvCalibration.ifPresent(builder::kvCalibration);
        return builder;
    }

    /**
     * @param directory a model's directory
     * @param progress hears of the share loaded
     * @return an engine that follows the options; the caller closes it
     */
    public Engine open(Path directory, DoubleConsumer progress) {
        return builder(directory).progress(progress).open();
    }
}
