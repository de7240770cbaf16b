package org.pikv4j.app;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import org.pikv4j.cli.CommonOptions;
import org.pikv4j.cli.EngineOptionsMixin;
import org.pikv4j.cli.ExitCodes;
import org.pikv4j.cli.Interruption;
import org.pikv4j.cli.Json;
import org.pikv4j.cli.ModelSource;
import org.pikv4j.cli.Output;
import org.pikv4j.cli.Progress;
import org.pikv4j.cli.Terminal;
import org.pikv4j.cli.TextFile;
import org.pikv4j.error.ContextLengthException;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.session.Engine;
import org.pikv4j.session.GenerationListener;
import org.pikv4j.session.GenerationOptions;
import org.pikv4j.session.GenerationResult;
import org.pikv4j.session.Session;
import org.pikv4j.trace.TraceRecorder;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Continues a prompt. */
@Command(
        name = "run",
        description = "Continue a prompt. The text goes to stdout as it comes, a line of measurements to stderr.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  pikv4j run --prompt-file document.txt",
            "  pikv4j run --model Qwen/Qwen3-30B-A3B --prompt 'Once upon a time'",
            "  pikv4j run --prompt-file - --temperature 0.8 --seed 1 --json < prompt.txt"
        })
final class RunCommand implements Callable<Integer> {
    @ArgGroup(exclusive = true, multiplicity = "1")
    @SuppressWarnings("NullAway.Init") // picocli sets it before it runs anything
    private Prompt prompt;

    @Option(
            names = "--json",
            description = "Print one JSON object with the text and the measurements, when all is done.")
    private boolean json;

    @Option(
            names = "--explain",
            arity = "0..1",
            fallbackValue = "all",
            paramLabel = "short|all",
            description =
                    "Say behind the answer what --kv auto has decided, and why: sums and what is kept, and each decision"
                            + " unless =short.")
    private Optional<ExplanationLength> explain = Optional.empty();

    @Option(
            names = "--trace",
            paramLabel = "FILE",
            description =
                    "Record queries, keys, values and gates of the run in a new safetensors file, for pikv4j-bench"
                            + " simulate.")
    private Optional<Path> trace = Optional.empty();

    @Mixin
    private final SamplingOptions sampling = new SamplingOptions();

    @Mixin
    private final EngineOptionsMixin engineOptions = new EngineOptionsMixin("bf16");

    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before it runs anything
    private CommandSpec spec;

    @Override
    public Integer call() {
        sampling.check();
        if (explain.isPresent() && !engineOptions.auto()) {
            throw new InvalidOptionException("--explain says what --kv auto decides: ask for that, with --kv-budget");
        }
        Optional<OutFile> traceFile = trace.map(path -> new OutFile("--trace", path));
        traceFile.ifPresent(OutFile::checkNew);
        try (Progress progress = Progress.onStderr();
                Interruption interruption = new Interruption(spec, progress)) {
            return run(prompt.read(System.in), traceFile, progress, interruption);
        }
    }

    private int run(String text, Optional<OutFile> traceFile, Progress progress, Interruption interruption) {
        try (ModelSource model = engineOptions.model();
                Engine engine = engineOptions.open(model.path(), progress.shareOf("Loading the model"));
                Session session = engine.openSession()) {
            interruption.stopWith(session::cancel);
            GenerationOptions options =
                    sampling.seeded(sampling.over(engine.model().generationDefaults()));
            sampling.warn(options);
            if (traceFile.isEmpty()) {
                generate(text, options, engine, session, progress);
            } else {
                traced(traceFile.get(), model, engine, session, interruption, () -> {
                    return generate(text, options, engine, session, progress);
                });
            }
            return interruption.interrupted() ? ExitCodes.INTERRUPTED : ExitCodes.OK;
        } catch (ContextLengthException e) {
            throw new InvalidOptionException(prompt.source() + ": " + e.getMessage());
        }
    }

    private GenerationResult generate(
            String text, GenerationOptions options, Engine engine, Session session, Progress progress) {
        Output output = Output.of(spec);
        GenerationResult result;
        if (json) {
            result = session.generate(text, options, new Silent(progress));
            GenerationReport report = GenerationReport.of(result, engine);
            output.println(Json.line(
                    explain.isPresent() ? new ExplainedReport(report, Explanation.of(engine, session)) : report));
        } else {
            try (AnswerPrinter printer = AnswerPrinter.ofContinuation(output, progress)) {
                result = session.generate(text, options, printer);
            }
            spec.commandLine()
                    .getErr()
                    .println(GenerationReport.of(result, engine).text(Terminal.ERR));
            explain.ifPresent(length -> Explanation.of(engine, session)
                    .lines(length)
                    .forEach(spec.commandLine().getErr()::println));
        }
        return result;
    }

    private static void traced(
            OutFile file,
            ModelSource model,
            Engine engine,
            Session session,
            Interruption interruption,
            Supplier<GenerationResult> run) {
        try (TraceRecorder recorder =
                new TraceRecorder(file.path(), engine.model().config())) {
            session.observe(Optional.of(recorder));
            GenerationResult result = run.get();
            if (!interruption.interrupted()) {
                recorder.finish(model.name(), session.tokens(), result.stats().promptTokens());
            }
        } catch (IOException e) {
            throw file.cannotWrite(TextFile.reason(e));
        } catch (UncheckedIOException e) {
            throw file.cannotWrite(TextFile.reason(Objects.requireNonNull(e.getCause())));
        }
    }

    /** Hears of the progress alone; the text is in the result. */
    private record Silent(Progress progress) implements GenerationListener {
        @Override
        public void text(String piece) {}

        @Override
        public void prefill(int done, int total) {
            progress.update("Reading the prompt", done, total);
        }
    }
}
