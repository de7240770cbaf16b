package org.pikv4j.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.pikv4j.PiKV;
import org.pikv4j.cache.scheduling.KvBudget;
import org.pikv4j.cache.scheduling.PolicyChoice;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The options of commands that run a model with a cache in a form of the user's choice, whatever is evicted from it. */
public final class FormOptions {
    @Option(
            names = "--kv-dtype",
            paramLabel = "TYPE",
            order = 3,
            description = "How keys and values are cached: bf16, f32, int8, int4, 'int8,int4' for keys and values,"
                    + " '0-1=bf16;2-=int8' by layer; the README lists them all (default: ${DEFAULT-VALUE}).")
    private String kvDtype;

    @Mixin
    private final ModelRunOptions model;

    @Mixin
    private final CompressionOptions compression = new CompressionOptions();

    /**
     * @param kvDtype the command's default of {@code --kv-dtype}
     * @param model the other options, with the command's defaults
     */
    public FormOptions(String kvDtype, ModelRunOptions model) {
        this.kvDtype = kvDtype;
        this.model = model;
    }

    /**
     * @return the model asked for, or the demo model; the caller closes it
     */
    public ModelSource model() {
        return model.model();
    }

    /**
     * @return the form asked for, as it was written
     */
    public String kvDtype() {
        return kvDtype;
    }

    /**
     * @return the budget asked for
     */
    public Optional<KvBudget> kvBudget() {
        return model.kvBudget();
    }

    /**
     * @param directory a model's directory
     * @param policies those that will be named to builders
     * @return a builder of its engine that follows the options
     */
    public PiKV.Builder builder(Path directory, List<PolicyChoice> policies) {
        compression.check(List.of(kvDtype), policies);
        return compression.apply(model.builder(directory)).kvDtype(kvDtype);
    }
}
