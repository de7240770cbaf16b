package org.pikv4j.app;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import org.pikv4j.PiKV;
import org.pikv4j.cache.compression.FormSpec;
import org.pikv4j.cache.scheduling.KvBudget;
import org.pikv4j.cache.scheduling.PolicyChoice;
import org.pikv4j.cli.BandwidthConverter;
import org.pikv4j.cli.ByteSizeConverter;
import org.pikv4j.cli.CommonOptions;
import org.pikv4j.cli.CompressionOptions;
import org.pikv4j.cli.ControlOption;
import org.pikv4j.cli.ExitCodes;
import org.pikv4j.cli.Json;
import org.pikv4j.cli.KvBudgetConverter;
import org.pikv4j.cli.ModelOption;
import org.pikv4j.cli.ModelSource;
import org.pikv4j.cli.Output;
import org.pikv4j.cli.PolicyOption;
import org.pikv4j.cli.RoutingOptions;
import org.pikv4j.cli.ShardingOptions;
import org.pikv4j.cli.TokenCountConverter;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.loader.config.ShapeReader;
import org.pikv4j.plan.MemoryPlan;
import org.pikv4j.plan.ModelShape;
import org.pikv4j.plan.Planner;
import org.pikv4j.plan.StepTime;
import org.pikv4j.plan.Workload;
import org.pikv4j.session.EngineOptions;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Says what a model, its cache and a batch take, and whether that fits, before anything is loaded. */
@Command(
        name = "plan",
        description = "Say what a model and its cache take and whether that fits, from its config.json alone, which"
                + " --model may also name. Nothing is loaded.",
        footerHeading = "%nExample:%n",
        footer = "  pikv4j plan --model config.json --context 128K --batch 8 --memory 24GiB")
final class PlanCommand implements Callable<Integer> {
    @Mixin
    private final ModelOption model = new ModelOption();

    @Option(
            names = "--context",
            paramLabel = "TOKENS",
            converter = TokenCountConverter.class,
            description = "Tokens of each sequence, 128K for instance (default: all positions of the model).")
    private Optional<Integer> context = Optional.empty();

    @Option(names = "--batch", paramLabel = "N", description = "Sequences at once (default: ${DEFAULT-VALUE}).")
    private int batch = 1;

    @Option(
            names = "--memory",
            paramLabel = "SIZE",
            converter = ByteSizeConverter.class,
            description = "Memory of each device, 24GiB for instance (default: this machine's).")
    private Optional<Long> memory = Optional.empty();

    @Option(
            names = "--devices",
            paramLabel = "N",
            description = "Devices that share out experts and pages (default: ${DEFAULT-VALUE}).")
    private int devices = 1;

    @Option(
            names = "--bandwidth",
            paramLabel = "RATE",
            converter = BandwidthConverter.class,
            description =
                    "Read bandwidth of a device, 24GB/s for instance: predicts the time of a decode step (bench run"
                            + " measures it).")
    private Optional<Double> bandwidth = Optional.empty();

    @Option(
            names = "--latency",
            paramLabel = "FILE.json",
            description =
                    "What bench compression with --lengths measured on the device: predicts the time of a decode step by"
                            + " the bandwidth and the latency model in it, which knows what reading a compressed cache takes.")
    private Optional<Path> latency = Optional.empty();

    @Option(
            names = "--fixed-ms",
            paramLabel = "MS",
            description =
                    "What a decode step takes whatever it reads, in milliseconds (default: 0, so that the time is the"
                            + " least possible).")
    private double fixedMillis;

    @Option(
            names = "--kv-dtype",
            paramLabel = "TYPE",
            description = "How keys and values are cached, as run understands it (default: ${DEFAULT-VALUE}).")
    private String kvDtype = "bf16";

    @Option(
            names = "--kv-budget",
            paramLabel = "SIZE",
            converter = KvBudgetConverter.class,
            description = "The most that the cache may take, 512MiB (default: what there is), or keep of each sequence,"
                    + " 1024tok or 25%%.")
    private KvBudget kvBudget = KvBudget.DEFAULT;

    @Option(
            names = "--page-tokens",
            paramLabel = "N",
            description = "Tokens per page of the cache, a multiple of 16 (default: ${DEFAULT-VALUE}).")
    private int pageTokens = PiKV.DEFAULT_PAGE_TOKENS;

    @Option(
            names = "--prefill-chunk",
            paramLabel = "N",
            description = "Tokens of a prompt that are read at once (default: ${DEFAULT-VALUE}).")
    private int prefillChunk = PiKV.DEFAULT_PREFILL_CHUNK;

    @Mixin
    private final PolicyOption policy = new PolicyOption();

    @Mixin
    private final ControlOption control = new ControlOption();

    @Mixin
    private final ShardingOptions sharding = new ShardingOptions();

    @Mixin
    private final RoutingOptions routing = new RoutingOptions();

    @Mixin
    private final CompressionOptions compression = new CompressionOptions();

    @Option(names = "--json", description = "Print one JSON object instead.")
    private boolean json;

    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before it runs anything
    private CommandSpec spec;

    @Override
    public Integer call() {
        Optional<PolicyChoice> named = policy.choice();
        compression.check(List.of(kvDtype), named.stream().toList());
        Optional<PolicyChoice> choice = control.choice(named, kvBudget);
        PlanReport report;
        try (ModelSource source = model.source()) {
            ModelShape shape = ShapeReader.read(source.path());
            report = new PlanReport(source.name(), plan(shape, choice));
        }
        Output output = Output.of(spec);
        if (json) {
            output.println(Json.line(report));
        } else {
            output.print(report.table());
        }
        return ExitCodes.OK;
    }

    private MemoryPlan plan(ModelShape shape, Optional<PolicyChoice> choice) {
        if (context.isEmpty() && shape.maxPositions() > Workload.MOST_TOKENS) {
            throw new InvalidOptionException("max_position_embeddings is " + shape.maxPositions() + ", more than the "
                    + Workload.MOST_TOKENS + " tokens that are planned for: give a --context");
        }
        Workload work =
                new Workload(context.orElse(shape.maxPositions()), batch, memory.orElseGet(PiKV::memory), devices);
        OptionalLong cap = kvBudget.bytes();
        EngineOptions options = new EngineOptions(
                FormSpec.parse(kvDtype, compression.bases()),
                compression.residual(),
                pageTokens,
                // Where nothing is said only the memory counts.
                cap.orElse(Long.MAX_VALUE),
                prefillChunk,
                kvBudget.tokens(),
                choice,
                Optional.empty(),
                sharding.choice(),
                routing.choice());
        return Planner.plan(shape, options, work, machine());
    }

    private Optional<StepTime.Machine> machine() {
        if (!(fixedMillis >= 0) || !Double.isFinite(fixedMillis)) {
            throw new InvalidOptionException("fixed-ms must not be negative, not " + fixedMillis);
        }
        if (bandwidth.isPresent() && latency.isPresent()) {
            throw new InvalidOptionException("bandwidth is in --latency, too: take one of them");
        }
        if (bandwidth.isEmpty() && latency.isEmpty() && fixedMillis > 0) {
            throw new InvalidOptionException("fixed-ms is unused without --bandwidth or --latency");
        }
        return latency.map(file -> MeasuredLatency.read(file, fixedMillis / 1000))
                .or(() -> bandwidth.map(rate -> new StepTime.Machine(rate, fixedMillis / 1000)));
    }
}
