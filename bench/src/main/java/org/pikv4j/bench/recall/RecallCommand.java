package org.pikv4j.bench.recall;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import org.pikv4j.bench.OutDirectory;
import org.pikv4j.cli.CommonOptions;
import org.pikv4j.cli.EngineOptionsMixin;
import org.pikv4j.cli.ExitCodes;
import org.pikv4j.cli.Interruption;
import org.pikv4j.cli.ModelSource;
import org.pikv4j.cli.Output;
import org.pikv4j.cli.Progress;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.memory.ByteSize;
import org.pikv4j.session.Engine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Scores a model on questions about documents. */
@Command(
        name = "recall",
        // What picocli makes of a list that must not be empty says everything twice.
        customSynopsis = "pikv4j-bench recall [OPTIONS] --data FILE.jsonl...",
        description = "Ask a model questions about documents it has read, and count the right answers.",
        footer = {
            "",
            "A row of the data is {\"document\": …, \"questions\": [{\"question\": …, \"answer\": …}]}. An answer is right if the"
                    + " first line generated equals it."
        })
public final class RecallCommand implements Callable<Integer> {
    @Option(
            names = "--data",
            paramLabel = "FILE.jsonl",
            required = true,
            arity = "1..*",
            description = "Evaluation files; - for stdin.")
    private List<String> data = new ArrayList<>();

    @Option(names = "--limit", paramLabel = "N", description = "Take only the first N documents of each file.")
    private Optional<Integer> limit = Optional.empty();

    @Option(
            names = "--sessions",
            paramLabel = "N",
            description = "Documents worked on at once (default: ${DEFAULT-VALUE}).")
    private int sessions = 4;

    @Mixin
    private final OutDirectory out = new OutDirectory();

    @Mixin
    private final EngineOptionsMixin options = new EngineOptionsMixin("bf16");

    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before it runs anything
    private CommandSpec spec;

    /**
     * What the JSON holds.
     *
     * @param model the model's directory, or what the demo model is called
     * @param backend what computed
     * @param kvDtype how rows were cached
     * @param scores one per file
     */
    record Report(String model, String backend, String kvDtype, List<RecallScore> scores) {}

    @Override
    public Integer call() {
        if (sessions < 1) {
            throw new InvalidOptionException("--sessions must be at least 1, not " + sessions);
        }
        List<List<Evaluation>> files = new ArrayList<>();
        for (String file : data) {
            files.add(Evaluation.read("--data", file, limit));
        }
        out.prepare();
        try (Progress progress = Progress.onStderr();
                Interruption _ = new Interruption(spec, progress);
                ModelSource model = options.model()) {
            return run(model, files, progress);
        }
    }

    private int run(ModelSource model, List<List<Evaluation>> files, Progress progress) {
        Output output = Output.of(spec);
        List<RecallScore> scores = new ArrayList<>();
        try (Engine engine = options.open(model.path(), progress.shareOf("Loading"))) {
            RecallRun run = new RecallRun(engine, sessions);
            output.println(String.format(
                    "%-24s %9s %7s  %-15s %9s %9s", "file", "right", "share", "95% interval", "tokens/s", "peak KV"));
            for (int f = 0; f < files.size(); f++) {
                String file = String.valueOf(Path.of(data.get(f)).getFileName());
                int rows = files.get(f).size();
                AtomicInteger done = new AtomicInteger();
                RecallScore score = run.score(file, files.get(f), () -> {
                    progress.update(file, done.incrementAndGet(), rows);
                });
                scores.add(score);
                output.println(line(score));
            }
            out.json(
                    "recall.json",
                    new Report(
                            model.name(),
                            engine.backend().description(),
                            engine.options().forms().name(),
                            scores));
        }
        return ExitCodes.OK;
    }

    private static String line(RecallScore score) {
        return String.format(
                Locale.ROOT,
                "%-24s %4d/%-4d %6.1f%%  %5.1f%% … %5.1f%% %9.0f %9s",
                score.file(),
                score.right(),
                score.total(),
                100.0 * score.right() / score.total(),
                100 * score.low(),
                100 * score.high(),
                score.documentTokens() / score.seconds(),
                ByteSize.format(score.peakKvBytes()));
    }
}
