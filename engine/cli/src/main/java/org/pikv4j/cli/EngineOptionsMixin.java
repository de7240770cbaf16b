package org.pikv4j.cli;

import java.nio.file.Path;
import java.util.Optional;
import java.util.function.DoubleConsumer;
import org.pikv4j.PiKV;
import org.pikv4j.session.Engine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options of every command that runs a model with a cache in a form of the user's choice. */
public final class EngineOptionsMixin {
    @Option(
            names = "--kv-policy",
            paramLabel = "NAME",
            order = 5,
            description = "What gives way when a budget is reached, NAME[:option=value,...]: streaming-llm, h2o, tova,"
                    + " snapkv, keydiff, 'adakv(snapkv)', ...; the README lists them all (default: reaching a budget is"
                    + " an error).")
    private Optional<String> kvPolicy = Optional.empty();

    @Mixin
    private final FormOptions form;

    /**
     * @param kvDtype the command's default of {@code --kv-dtype}
     */
    public EngineOptionsMixin(String kvDtype) {
        form = new FormOptions(kvDtype, new ModelRunOptions());
    }

    /**
     * @return the model asked for, or the demo model; the caller closes it
     */
    public ModelSource model() {
        return form.model();
    }

    /**
     * @param directory a model's directory
     * @return a builder of its engine that follows the options
     */
    public PiKV.Builder builder(Path directory) {
        PiKV.Builder builder = form.builder(directory);
        kvPolicy.ifPresent(builder::kvPolicy);
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
