package org.pikv4j.cli;

import java.nio.file.Path;
import java.util.Optional;
import java.util.function.DoubleConsumer;
import org.pikv4j.PiKV;
import org.pikv4j.cache.scheduling.KvBudget;
import org.pikv4j.cache.scheduling.PolicyChoice;
import org.pikv4j.session.Engine;
import picocli.CommandLine.Mixin;

/** The options of every command that runs a model with a cache in a form of the user's choice. */
public final class EngineOptionsMixin {
    @Mixin
    private final FormOptions form;

    @Mixin
    private final PolicyOption policy = new PolicyOption();

    @Mixin
    private final ControlOption control = new ControlOption();

    @Mixin
    private final ShardingOptions sharding = new ShardingOptions();

    @Mixin
    private final RoutingOptions routing = new RoutingOptions();

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
        Optional<PolicyChoice> named = policy.choice();
        PiKV.Builder builder = routing.apply(
                sharding.apply(form.builder(directory, named.stream().toList())));
        return control.choice(named, form.kvBudget().orElse(KvBudget.DEFAULT))
                .map(builder::kvPolicy)
                .orElse(builder);
    }

    /**
     * @return whether one controller decides about forms and tokens
     */
    public boolean auto() {
        return control.auto();
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
