package org.pikv4j.bench.compression;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.pikv4j.PiKV;
import org.pikv4j.backend.Backend;
import org.pikv4j.backend.BackendOptions;
import org.pikv4j.backend.Backends;
import org.pikv4j.bench.Distributions;
import org.pikv4j.bench.Machine;
import org.pikv4j.bench.OutDirectory;
import org.pikv4j.bench.ReadBandwidth;
import org.pikv4j.bench.compression.CompressionReport.Row;
import org.pikv4j.bench.recall.Evaluation;
import org.pikv4j.bench.recall.RecallRun;
import org.pikv4j.bench.recall.RecallScore;
import org.pikv4j.cache.compression.FormChoice;
import org.pikv4j.cache.compression.FormSpec;
import org.pikv4j.cli.CommonOptions;
import org.pikv4j.cli.CompressionOptions;
import org.pikv4j.cli.ExitCodes;
import org.pikv4j.cli.Interruption;
import org.pikv4j.cli.ModelRunOptions;
import org.pikv4j.cli.ModelSource;
import org.pikv4j.cli.Output;
import org.pikv4j.cli.Progress;
import org.pikv4j.cli.TextFile;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.model.ModelConfig;
import org.pikv4j.session.Engine;
import org.pikv4j.session.EngineOptions;
import org.pikv4j.session.Session;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Compares the forms that pages can be kept in. */
@Command(
        name = "compression",
        description = "Compare the forms of the cache on a text: bytes, errors, the next token, recall, time.",
        footer = {"", "Errors are relative, over all layers and heads, the newest 32 tokens and the first 4 exact."})
public final class CompressionCommand implements Callable<Integer> {
    static final List<String> DEFAULT_FORMS = List.of(
            "bf16",
            "fp8-e4m3",
            "fp8-e5m2",
            "int8",
            "int8+rotate",
            "int4",
            "int4+rotate",
            "int4a",
            "kivi4",
            "nvfp4",
            "nvfp4+rotate",
            "mxfp4",
            "mxfp4+rotate",
            "turbo4",
            "turbo3",
            "turbo2",
            "kivi2",
            "int8,int4",
            "chunk-pca:8",
            "chunk-pca:16");

    @Option(names = "--text", paramLabel = "FILE", required = true, description = "The text; - for stdin.")
    private String text = "";

    @Option(
            names = "--tokens",
            paramLabel = "N",
            description = "Take only so many tokens of it (default: ${DEFAULT-VALUE}).")
    private int tokens = 1024;

    @Option(
            names = "--forms",
            paramLabel = "FORM",
            arity = "1..*",
            description =
                    "The forms, as --kv-dtype of other commands spells them (default: all number formats). Those that"
                            + " are fitted need --kv-calibration.")
    private List<String> forms = DEFAULT_FORMS;

    @Option(
            names = "--recall",
            paramLabel = "FILE.jsonl",
            arity = "1..*",
            description = "Also score recall on evaluation files, see the command recall.")
    private List<String> recall = List.of();

    @Option(names = "--limit", paramLabel = "N", description = "Take only the first N documents of each of these.")
    private Optional<Integer> limit = Optional.empty();

    @Option(
            names = "--outliers",
            paramLabel = "FACTOR",
            description = "As in a model whose keys have outlier channels, larger by this factor.")
    private float outliers = 1;

    @Option(
            names = "--lengths",
            paramLabel = "LIST",
            split = ",",
            description = "Also time one query over so many tokens, 1024,16384 for instance.")
    private List<Integer> lengths = List.of();

    @Mixin
    private final OutDirectory out = new OutDirectory();

    @Mixin
    private final CompressionOptions compression = new CompressionOptions();

    @Mixin
    private final ModelRunOptions options = new ModelRunOptions();

    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before it runs anything
    private CommandSpec spec;

    /** What all forms are compared with. */
    private record Reference(
            EngineOptions options,
            int threads,
            String backend,
            double bf16Bytes,
            int[] ids,
            List<Capture.Layer> layers,
            Distributions distributions) {}

    @Override
    public Integer call() {
        if (tokens < 2 * PiKV.DEFAULT_PAGE_TOKENS) {
            throw new InvalidOptionException(
                    "--tokens must be at least " + 2 * PiKV.DEFAULT_PAGE_TOKENS + ", not " + tokens);
        }
        if (!(outliers > 0) || Float.isInfinite(outliers)) {
            throw new InvalidOptionException("--outliers must be a positive number, not " + outliers);
        }
        for (int length : lengths) {
            if (length < 1) {
                throw new InvalidOptionException("--lengths must be at least 1, not " + length);
            }
        }
        try {
            compression.check(forms, List.of());
            return compare();
        } catch (InvalidOptionException e) {
            // What the library knows as kv-dtype has another name here.
            throw new InvalidOptionException(String.valueOf(e.getMessage()).replaceFirst("^kv-dtype", "--forms"));
        }
    }

    private int compare() {
        List<List<Evaluation>> evaluations = new ArrayList<>();
        for (String file : recall) {
            evaluations.add(Evaluation.read("--recall", file, limit));
        }
        String content = TextFile.read("--text", text, System.in);
        out.prepare();
        try (Progress progress = Progress.onStderr();
                Interruption _ = new Interruption(spec, progress);
                ModelSource model = options.model()) {
            return run(model, content, evaluations, progress);
        }
    }

    private int run(ModelSource model, String content, List<List<Evaluation>> evaluations, Progress progress) {
        Reference reference = reference(model, content);
        List<Row> rows = new ArrayList<>();
        for (String form : forms) {
            progress.update(form, rows.size(), forms.size());
            rows.add(row(model, form, reference, evaluations));
        }
        double bandwidth = lengths.isEmpty() ? 0 : ReadBandwidth.measure(reference.threads());
        CompressionReport report = new CompressionReport(
                Machine.here(),
                reference.backend(),
                model.name(),
                reference.ids().length,
                reference.options().pageTokens(),
                outliers,
                reference.options().residual().tokens(),
                reference.bf16Bytes(),
                CompressionReport.withFront(rows),
                bandwidth,
                latency(rows));
        Output output = Output.of(spec);
        output.println(report.machine().line());
        output.println(model.name() + ", " + report.textTokens() + " tokens, " + reference.backend()
                + (outliers == 1 ? "" : ", outlier channels x " + outliers));
        CompressionTable.lines(report).forEach(output::println);
        out.json("compression.json", report);
        out.write("compression-errors.png", file -> CompressionPictures.errors(report, file));
        if (report.latency().isPresent() && !forms.contains(CompressionReport.BASELINE)) {
            output.println("no picture of speed: it needs bf16 among --forms");
        } else if (report.latency().isPresent()) {
            out.write(
                    "compression-speed.png",
                    file -> CompressionPictures.speed(report, report.latency().get(), file));
        }
        return ExitCodes.OK;
    }

    private PiKV.Builder builder(ModelSource model) {
        return compression.apply(options.builder(model.path()));
    }

    private Reference reference(ModelSource model, String content) {
        try (Engine engine = builder(model).kvDtype("f32").open()) {
            ModelConfig config = engine.model().config();
            int[] all = engine.model().tokenizer().encode(content, true);
            int[] ids = Arrays.copyOf(all, Math.min(all.length, Math.min(tokens, config.maxPositions())));
            if (ids.length < 2 * engine.options().pageTokens()) {
                throw new InvalidOptionException("--text " + text + ": is too short, " + ids.length + " tokens");
            }
            Capture capture = new Capture(config, ids.length);
            try (Session session = engine.openSession()) {
                session.observe(Optional.of(capture));
                session.read(ids);
            }
            return new Reference(
                    engine.options(),
                    engine.backend().threads(),
                    engine.backend().description(),
                    config.kvBytesPerToken(Short.BYTES),
                    ids,
                    capture.layers(),
                    TextDistributions.of(engine, ids));
        }
    }

    private Row row(ModelSource model, String form, Reference reference, List<List<Evaluation>> evaluations) {
        PiKV.Builder builder = builder(model).kvForms(bases -> {
            FormChoice plain = FormSpec.parse(form, bases);
            return outliers == 1 ? plain : new OutlierForms(plain, outliers);
        });
        try (Engine engine = builder.open()) {
            FormChoice choice = engine.options().forms();
            FormErrors errors =
                    FormErrors.of(choice, reference.layers(), engine.options().pageTokens());
            Distributions distributions = TextDistributions.of(engine, reference.ids());
            List<RecallScore> scores = new ArrayList<>();
            for (int f = 0; f < evaluations.size(); f++) {
                scores.add(new RecallRun(engine, 2).score(recall.get(f), evaluations.get(f), () -> {}));
            }
            List<List<LatencyModel.Sample>> times = attendTimes(engine, reference);
            return new Row(
                    form,
                    errors,
                    reference.distributions().divergence(distributions),
                    reference.distributions().agreement(distributions),
                    scores,
                    times.getFirst(),
                    times.getLast(),
                    false);
        }
    }

    /** As pages are read, and decoded first; each for all lengths. */
    private List<List<LatencyModel.Sample>> attendTimes(Engine engine, Reference reference) {
        if (lengths.isEmpty()) {
            return List.of(List.of(), List.of());
        }
        Backends backends = new Backends(List.of());
        String name = engine.backend().name();
        try (Backend fused = backends.open(name, new BackendOptions(reference.threads()));
                Backend decoding = backends.open(name, new BackendOptions(reference.threads(), false))) {
            return AttendSpeed.measure(
                    List.of(fused, decoding),
                    reference.layers().getFirst().spec(),
                    engine.options().forms(),
                    engine.options().pageTokens(),
                    lengths);
        }
    }

    private Optional<LatencyModel> latency(List<Row> rows) {
        List<LatencyModel.Sample> samples =
                rows.stream().flatMap(row -> row.attend().stream()).toList();
        return samples.isEmpty() ? Optional.empty() : Optional.of(LatencyModel.fit(samples));
    }
}
