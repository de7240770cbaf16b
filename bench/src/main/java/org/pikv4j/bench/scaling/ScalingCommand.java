package org.pikv4j.bench.scaling;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.knowm.xchart.XYChart;
import org.pikv4j.PiKV;
import org.pikv4j.backend.Backend;
import org.pikv4j.backend.BackendOptions;
import org.pikv4j.backend.Backends;
import org.pikv4j.bench.Machine;
import org.pikv4j.bench.OutDirectory;
import org.pikv4j.bench.Pictures;
import org.pikv4j.cli.CommonOptions;
import org.pikv4j.cli.ExitCodes;
import org.pikv4j.cli.Interruption;
import org.pikv4j.cli.ModelOption;
import org.pikv4j.cli.ModelSource;
import org.pikv4j.cli.Output;
import org.pikv4j.cli.Progress;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.memory.ByteSize;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.model.FeedForwardSpec;
import org.pikv4j.model.LayerSpec;
import org.pikv4j.model.ModelConfig;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Counts what sharding moves. */
@Command(
        name = "scaling",
        description =
                "Count the bytes that a decoded token moves between shards of the cache, and what they would take on a network.",
        footer = {
            "",
            "Of the model only config.json is read. Partials are measured messages, gathering is what the same pages would take on"
                    + " their way to the query, all-gather on their way to every shard. Rings are pages of other sizes: what small"
                    + " ones cost in handles, and large ones in room that is not used."
        })
public final class ScalingCommand implements Callable<Integer> {
    @Option(
            names = "--shards",
            paramLabel = "LIST",
            split = ",",
            description = "Numbers of shards (default: 1,2,4,8,16,32,64).")
    private List<Integer> shards = List.of(1, 2, 4, 8, 16, 32, 64);

    @Option(names = "--context", paramLabel = "N", description = "Tokens in the cache (default: ${DEFAULT-VALUE}).")
    private int context = 32_768;

    @Option(names = "--page-tokens", paramLabel = "N", description = "Tokens per page (default: ${DEFAULT-VALUE}).")
    private int pageTokens = PiKV.DEFAULT_PAGE_TOKENS;

    @Option(
            names = "--latency",
            paramLabel = "US",
            description = "Microseconds that a message takes on the simulated network (default: ${DEFAULT-VALUE}).")
    private double latency = 10;

    @Option(
            names = "--bandwidth",
            paramLabel = "GB/S",
            description = "Gigabytes that a link of it carries in a second (default: ${DEFAULT-VALUE}).")
    private double bandwidth = 12.5;

    @Option(
            names = "--rings",
            paramLabel = "LIST",
            split = ",",
            description =
                    "Rows of a page to compare in bytes, beside the paper's model (default: 16,32,64,128,256,512).")
    private List<Integer> rings = List.of(16, 32, 64, 128, 256, 512);

    @Option(
            names = "--ring-shards",
            paramLabel = "LIST",
            split = ",",
            description = "Numbers of shards for this comparison (default: 1,2,8).")
    private List<Integer> ringShards = List.of(1, 2, 8);

    @Option(
            names = "--ring-context",
            paramLabel = "N",
            description = "Tokens that its sequences have at least (default: ${DEFAULT-VALUE}).")
    private int ringContext = 4096;

    @Mixin
    private final ModelOption model = new ModelOption();

    @Mixin
    private final OutDirectory out = new OutDirectory();

    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before it runs anything
    private CommandSpec spec;

    @Override
    public Integer call() {
        check();
        out.prepare();
        print(measured());
        return ExitCodes.OK;
    }

    private ScalingReport measured() {
        try (Progress progress = Progress.onStderr();
                Interruption _ = new Interruption(spec, progress);
                ModelSource source = model.source();
                Backend backend = new Backends(List.of()).open(Backends.AUTO, BackendOptions.defaults())) {
            Network network = new Network(latency / 1e6, bandwidth * 1e9);
            ModelConfig config = PiKV.config(source.path());
            List<AttentionSpec> specs =
                    config.layers().stream().map(LayerSpec::attention).toList();
            progress.update("Filling rings", 0, 1);
            RingReport measured =
                    new RingRun(backend, specs, expertsPerToken(config), ringContext, rings, ringShards).measure();
            ScalingRun run = new ScalingRun(backend, specs, pageTokens, context, network);
            List<ScalingReport.Row> rows = new ArrayList<>();
            for (int count : shards) {
                progress.update("Filling shards", rows.size(), shards.size());
                rows.add(run.measure(count));
            }
            return new ScalingReport(
                    Machine.here(),
                    source.name(),
                    context,
                    pageTokens,
                    run.kvBytes(),
                    network.latencySeconds(),
                    network.bytesPerSecond(),
                    rows,
                    measured);
        }
    }

    private void check() {
        shards.forEach(count -> checkShards("--shards", count));
        ringShards.forEach(count -> checkShards("--ring-shards", count));
        checkPage("--page-tokens", pageTokens);
        rings.forEach(ring -> checkPage("--rings", ring));
        if (ringContext < 1) {
            throw new InvalidOptionException("--ring-context must be positive, not " + ringContext);
        }
        if (context < pageTokens) {
            throw new InvalidOptionException("--context must be at least a page, not " + context);
        }
        if (!(latency >= 0 && latency < 1e9)) {
            throw new InvalidOptionException("--latency must be a number of microseconds, not " + latency);
        }
        if (!(bandwidth > 0 && bandwidth < 1e9)) {
            throw new InvalidOptionException("--bandwidth must be a positive number, not " + bandwidth);
        }
    }

    private static void checkShards(String name, int count) {
        if (count < 1 || count > 256) {
            throw new InvalidOptionException(name + " must be between 1 and 256, not " + count);
        }
    }

    private static void checkPage(String name, int tokens) {
        if (tokens < 16 || tokens > 4096 || tokens % 16 != 0) {
            throw new InvalidOptionException(name + " must be a multiple of 16 between 16 and 4096, not " + tokens);
        }
    }

    /** K of the layers that have a gate; 1 where none has. */
    private static int expertsPerToken(ModelConfig config) {
        return config.layers().stream()
                .map(LayerSpec::feedForward)
                .mapToInt(block -> block instanceof FeedForwardSpec.Sparse sparse ? sparse.topK() : 1)
                .max()
                .orElse(1);
    }

    private void print(ScalingReport report) {
        Output output = Output.of(spec);
        output.println(report.machine().line());
        output.println("%s, %,d tokens in pages of %d, %s of keys and values"
                .formatted(report.model(), report.context(), report.pageTokens(), ByteSize.format(report.kvBytes())));
        output.println("");
        output.println("bytes for each decoded token; microseconds on a network of %s us and %s GB/s"
                .formatted(plain(latency), plain(bandwidth)));
        output.println(
                "shards  largest   queries  partials    closed    gather  all-gather    a row |  partials     gather  all-gather");
        for (ScalingReport.Row row : report.rows()) {
            output.println(String.format(
                    Locale.ROOT,
                    "%6d %8.3f %9s %9s %9s %9s %11s %8s | %9.0f %10.0f %11.0f",
                    row.shards(),
                    row.largestShare(),
                    size(row.queryBytes()),
                    size(row.answerBytes()),
                    size(row.partials()),
                    size(row.gather()),
                    size(row.allGather()),
                    size(row.rowBytes()),
                    1e6 * row.partialSeconds(),
                    1e6 * row.gatherSeconds(),
                    1e6 * row.allGatherSeconds()));
        }
        output.println("");
        output.println("largest: the fullest shard over the mean; closed: queries and partials alone, by formula");
        output.println("");
        RingTable table = new RingTable(report.model(), report.rings());
        table.lines().forEach(output::println);
        out.json("scaling.json", report);
        out.write("scaling.png", file -> Pictures.write(picture(report), file));
        if (table.drawable()) {
            out.write("rings.png", file -> Pictures.write(table.picture(), file));
        }
    }

    private static XYChart picture(ScalingReport report) {
        XYChart chart = Pictures.chart(
                "Bytes for each decoded token, " + report.model() + ", " + report.context() + " tokens",
                "shards",
                "bytes");
        chart.getStyler().setYAxisLogarithmic(true);
        chart.getStyler().setXAxisLogarithmic(true);
        List<Integer> counts =
                report.rows().stream().map(ScalingReport.Row::shards).toList();
        chart.addSeries(
                "queries and partials, measured",
                counts,
                report.rows().stream()
                        .map(row -> row.queryBytes() + row.answerBytes())
                        .toList());
        chart.addSeries(
                "queries and partials, closed form",
                counts,
                report.rows().stream().map(ScalingReport.Row::partials).toList());
        chart.addSeries(
                "gathering keys and values",
                counts,
                report.rows().stream().map(ScalingReport.Row::gather).toList());
        List<ScalingReport.Row> several =
                report.rows().stream().filter(row -> row.shards() > 1).toList();
        if (!several.isEmpty()) {
            chart.addSeries(
                    "all-gather of keys and values",
                    several.stream().map(ScalingReport.Row::shards).toList(),
                    several.stream().map(ScalingReport.Row::allGather).toList());
        }
        return chart;
    }

    private static String size(double bytes) {
        return ByteSize.format(Math.round(bytes));
    }

    private static String plain(double number) {
        return number == Math.rint(number) ? Long.toString((long) number) : Double.toString(number);
    }
}
