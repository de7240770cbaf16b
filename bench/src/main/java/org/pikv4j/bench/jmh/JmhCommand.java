package org.pikv4j.bench.jmh;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.runner.NoBenchmarksException;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.format.OutputFormat;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.VerboseMode;
import org.pikv4j.backend.BackendOptions;
import org.pikv4j.bench.Machine;
import org.pikv4j.bench.OutDirectory;
import org.pikv4j.bench.ReadBandwidth;
import org.pikv4j.cli.CommonOptions;
import org.pikv4j.cli.ExitCodes;
import org.pikv4j.cli.Output;
import org.pikv4j.error.InvalidOptionException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Runs the benchmarks of this package. JMH's own account goes to stderr, the table to stdout. */
@Command(
        name = "jmh",
        description = "Measure the kernels one by one, beside the machine's read bandwidth.",
        footer = {
            "",
            "For instance one shape on the vector backend:",
            "  jmh Matrix -- -p backend=vector -p shape=1024x1024",
            "and what there is: jmh -- -l"
        })
public final class JmhCommand implements Callable<Integer> {
    @Parameters(
            paramLabel = "PATTERN",
            arity = "0..*",
            description = "Benchmarks whose names match, all by default; and, after --, options of JMH.")
    private List<String> arguments = new ArrayList<>();

    @Mixin
    private final OutDirectory out = new OutDirectory();

    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before it runs anything
    private CommandSpec spec;

    /**
     * What the JSON holds.
     *
     * @param machine where
     * @param readBandwidth bytes per second that Java reads on this machine, measured in the same run
     * @param kernels one entry per benchmark and choice of parameters
     */
    record Report(Machine machine, double readBandwidth, List<KernelScore> kernels) {}

    @Override
    public Integer call() {
        out.prepare();
        Output output = Output.of(spec);
        try {
            CommandLineOptions given = new CommandLineOptions(arguments.toArray(String[]::new));
            // Rates need calls per second; the profiler shows at once when a vector is boxed.
            Options options = new OptionsBuilder()
                    .parent(given)
                    .mode(Mode.Throughput)
                    .timeUnit(TimeUnit.SECONDS)
                    .shouldFailOnError(true)
                    .addProfiler(GCProfiler.class)
                    .build();
            OutputFormat progress = OutputFormatFactory.createFormatInstance(System.err, VerboseMode.NORMAL);
            Runner runner = new Runner(options, progress);
            if (given.shouldList()) {
                runner.list();
                return ExitCodes.OK;
            }
            List<KernelScore> kernels =
                    runner.run().stream().map(KernelScore::of).toList();
            double bandwidth = ReadBandwidth.measure(BackendOptions.defaults().threads());
            print(output, new Report(Machine.here(), bandwidth, kernels));
            return ExitCodes.OK;
        } catch (CommandLineOptionException e) {
            throw new InvalidOptionException("after --: " + e.getMessage());
        } catch (NoBenchmarksException e) {
            throw new InvalidOptionException("no benchmark matches " + String.join(" ", arguments));
        } catch (RunnerException e) {
            throw new IllegalStateException(e);
        }
    }

    private void print(Output output, Report report) {
        output.println(report.machine().line());
        output.println(String.format(Locale.ROOT, "read bandwidth %.1f GB/s", report.readBandwidth() / 1e9));
        output.println("");
        int width = Math.max(
                10,
                report.kernels().stream()
                        .mapToInt(score -> score.title().length())
                        .max()
                        .orElse(0));
        output.println(String.format(
                "%-" + width + "s %12s %8s %7s %9s %12s",
                "kernel",
                "time/call",
                "GB/s",
                "share",
                "GFLOP/s",
                "allocated"));
        for (KernelScore score : report.kernels()) {
            output.println(String.format(
                    Locale.ROOT,
                    "%-" + width + "s %9.1f µs %8.2f %6.0f%% %9.1f %10.0f B",
                    score.title(),
                    1e6 / score.callsPerSecond(),
                    score.gigabytesPerSecond(),
                    100 * score.gigabytesPerSecond() * 1e9 / report.readBandwidth(),
                    score.gigaflops(),
                    score.bytesAllocatedPerCall()));
        }
        out.json("bench-jmh.json", report);
    }
}
