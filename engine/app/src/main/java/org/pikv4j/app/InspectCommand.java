package org.pikv4j.app;

import java.util.Optional;
import java.util.concurrent.Callable;
import org.pikv4j.PiKV;
import org.pikv4j.cli.ByteSizeConverter;
import org.pikv4j.cli.CommonOptions;
import org.pikv4j.cli.ExitCodes;
import org.pikv4j.cli.Interruption;
import org.pikv4j.cli.Json;
import org.pikv4j.cli.ModelOption;
import org.pikv4j.cli.ModelSource;
import org.pikv4j.cli.Output;
import org.pikv4j.cli.Progress;
import org.pikv4j.model.LoadedModel;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Says what a model is and what it needs. */
@Command(
        name = "inspect",
        description = "Say what a model is, and how much of a context fits in memory. Checks its files on the way.",
        footerHeading = "%nExample:%n",
        footer = "  pikv4j inspect --model Qwen/Qwen3-30B-A3B --kv-budget 2GiB")
final class InspectCommand implements Callable<Integer> {
    @Mixin
    private final ModelOption model = new ModelOption();

    @Option(
            names = "--kv-budget",
            paramLabel = "SIZE",
            converter = ByteSizeConverter.class,
            description = "What the cache may take (default: half of the memory).")
    private Optional<Long> kvBudget = Optional.empty();

    @Option(names = "--json", description = "Print one JSON object instead.")
    private boolean json;

    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before it runs anything
    private CommandSpec spec;

    @Override
    public Integer call() {
        Inspection inspection;
        try (Progress progress = Progress.onStderr();
                Interruption _ = new Interruption(spec, progress);
                ModelSource source = model.source();
                LoadedModel loaded = PiKV.load(source.path())) {
            inspection = Inspection.of(source.name(), loaded, kvBudget.orElseGet(PiKV::defaultKvBudget));
        }
        Output output = Output.of(spec);
        if (json) {
            output.println(Json.line(inspection));
        } else {
            output.print(inspection.table());
        }
        return ExitCodes.OK;
    }
}
