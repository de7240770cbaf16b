package org.pikv4j.bench.speed;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.pikv4j.bench.Machine;
import org.pikv4j.bench.OutDirectory;
import org.pikv4j.bench.ReadBandwidth;
import org.pikv4j.cli.CommonOptions;
import org.pikv4j.cli.EngineOptionsMixin;
import org.pikv4j.cli.ExitCodes;
import org.pikv4j.cli.Interruption;
import org.pikv4j.cli.ModelSource;
import org.pikv4j.cli.Output;
import org.pikv4j.cli.Progress;
import org.pikv4j.error.ContextLengthException;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.memory.ByteSize;
import org.pikv4j.session.Engine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Measures how fast a model runs. */
@Command(
        name = "run",
        description = "Measure prompt and decode tokens per second, beside the machine's read bandwidth.")
public final class RunCommand implements Callable<Integer> {
    @Option(
            names = "--depths",
            split = ",",
            paramLabel = "LIST",
            hideParamSyntax = true,
            description = "Tokens in the cache before decoding is timed, separated by commas (default: 0,512,4096).")
    private List<Integer> depths = List.of(0, 512, 4096);

    @Option(names = "--prompt", paramLabel = "N", description = "Tokens of the prompt (default: ${DEFAULT-VALUE}).")
    private int promptTokens = 512;

    @Option(
            names = "--generate",
            paramLabel = "N",
            description = "Tokens decoded per repetition (default: ${DEFAULT-VALUE}).")
    private int decodeTokens = 64;

    @Option(names = "--repeat", paramLabel = "N", description = "Repetitions (default: ${DEFAULT-VALUE}).")
    private int repeats = 5;

    @Mixin
    private final OutDirectory out = new OutDirectory();

    @Mixin
    private final EngineOptionsMixin options = new EngineOptionsMixin("bf16");

    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before it runs anything
    private CommandSpec spec;

    @Override
    public Integer call() {
        atLeast("--prompt", promptTokens, 1);
        atLeast("--generate", decodeTokens, 2);
        atLeast("--repeat", repeats, 1);
        depths.forEach(depth -> atLeast("--depths", depth, 0));
        out.prepare();
        Output output = Output.of(spec);
        try (Progress progress = Progress.onStderr();
                Interruption _ = new Interruption(spec, progress);
                ModelSource model = options.model();
                Engine engine = options.open(model.path(), progress.shareOf("Loading"))) {
            checkPositions(engine);
            SpeedReport report = measure(engine, model.name(), progress);
            print(report, output);
            out.json("bench-run.json", report);
            out.write("bench-run.png", file -> SpeedPicture.write(report, file));
        }
        return ExitCodes.OK;
    }

    private static void atLeast(String option, int value, int least) {
        if (value < least) {
            throw new InvalidOptionException(option + " must be at least " + least + ", not " + value);
        }
    }

    private void checkPositions(Engine engine) {
        int positions = engine.model().config().maxPositions();
        int deepest = depths.stream().mapToInt(Integer::intValue).max().orElse(0) + decodeTokens + 1;
        if (Math.max(deepest, promptTokens + 1) > positions) {
            throw new InvalidOptionException("--depths and the tokens behind them: "
                    + new ContextLengthException(Math.max(deepest, promptTokens + 1), positions).getMessage());
        }
    }

    private SpeedReport measure(Engine engine, String model, Progress progress) {
        int steps = depths.size() + 2;
        progress.update("Measuring", 0, steps);
        double bandwidth = ReadBandwidth.measure(engine.backend().threads());
        SpeedRun run = new SpeedRun(engine, repeats);
        run.warmUp(promptTokens, decodeTokens);
        progress.update("Measuring", 1, steps);
        Spread prompts = run.prompts(promptTokens);
        long weightBytes = ActiveBytes.of(engine.model());
        List<SpeedReport.Depth> decode = new ArrayList<>();
        for (int depth : depths) {
            progress.update("Measuring", 2 + decode.size(), steps);
            decode.add(run.decode(depth, decodeTokens, bandwidth, weightBytes));
        }
        progress.close();
        return new SpeedReport(
                Machine.here(),
                model,
                engine.backend().description(),
                engine.options().forms().name(),
                bandwidth,
                weightBytes,
                promptTokens,
                prompts,
                decode);
    }

    private static void print(SpeedReport report, Output output) {
        output.println(report.machine().line());
        output.println(String.format(
                Locale.ROOT,
                "%s, KV %s; read bandwidth %.1f GB/s; %s of weights per decoded token",
                report.backend(),
                report.kvDtype(),
                report.readBandwidth() / 1e9,
                ByteSize.format(report.activeWeightBytes())));
        output.println("");
        output.println(String.format(
                "%-22s %10s %10s %10s  %s", "tokens/s", "min", "median", "max", "share of the bandwidth"));
        output.println(row("prompt of " + report.promptTokens(), report.promptTokensPerSecond()));
        for (SpeedReport.Depth depth : report.decode()) {
            output.println(row("decode at " + depth.depth(), depth.tokensPerSecond())
                    + String.format(Locale.ROOT, "  %.0f%%", 100 * depth.bandwidthShare())
                    + (depth.encodingShare() == 0
                            ? ""
                            : String.format(Locale.ROOT, ", compressing pages %.1f%%", 100 * depth.encodingShare())));
        }
    }

    private static String row(String name, Spread rate) {
        return String.format(Locale.ROOT, "%-22s %10.1f %10.1f %10.1f", name, rate.min(), rate.median(), rate.max());
    }
}
