package org.pikv4j.app;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import org.pikv4j.calibration.CalibrationListener;
import org.pikv4j.calibration.CalibrationMethod;
import org.pikv4j.calibration.CalibrationReport;
import org.pikv4j.calibration.Calibrator;
import org.pikv4j.calibration.RankChoice;
import org.pikv4j.cli.CommonOptions;
import org.pikv4j.cli.ErrorReport;
import org.pikv4j.cli.ExitCodes;
import org.pikv4j.cli.Interruption;
import org.pikv4j.cli.ModelRunOptions;
import org.pikv4j.cli.ModelSource;
import org.pikv4j.cli.Output;
import org.pikv4j.cli.Progress;
import org.pikv4j.cli.TextFile;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.session.Engine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Fits bases of low rank to a model. */
@Command(
        name = "calibrate",
        description =
                "Let a model read a text, and learn what --kv-calibration is for: bases of low rank for its keys and"
                        + " values, and which heads need all of the text.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  pikv4j calibrate --model my-model --text book.txt --method svd --rank 32 --out kv.safetensors",
            "  pikv4j run --model my-model --kv-calibration kv.safetensors --kv-dtype svd:32 --prompt-file p.txt",
            "",
            "Without a method only the heads are looked at, for --kv-policy duo.",
            "svd        the directions of the most energy; --kv-dtype svd:R, R up to the rank",
            "lora       one down-projection for all KV heads of a layer; lora:R, R the rank",
            "lora++     centred, keys weighted by the queries; lora++:R, R up to the rank",
            "prune      keeps the channels that matter most; prune:F drops the share F of all",
            "           channels, and leaves no more than the rank",
            "distill    fitted to attention weights and outputs, takes longest; distill:R, R the rank"
        })
final class CalibrateCommand implements Callable<Integer> {
    @Option(
            names = "--text",
            paramLabel = "FILE",
            required = true,
            description = "A text like those that the model will read; - for stdin.")
    private String text = "";

    @Option(
            names = "--method",
            paramLabel = "NAME",
            split = ",",
            description = "svd, lora, lora++, prune or distill; several with commas, for one file with all of them.")
    private List<String> methods = List.of();

    @Option(
            names = "--rank",
            paramLabel = "N",
            description =
                    "Numbers kept per token and KV head, for keys and as many for values; by layer '0-1=32;2-=16'.")
    private Optional<String> rank = Optional.empty();

    @Option(
            names = "--tokens",
            paramLabel = "N",
            description = "The most tokens of the text to read (default: ${DEFAULT-VALUE}).")
    private int tokens = 4096;

    @Option(
            names = "--out",
            paramLabel = "FILE",
            required = true,
            description = "The safetensors file to write or replace.")
    private Path out = Path.of("");

    @Mixin
    private final ModelRunOptions options = new ModelRunOptions();

    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before it runs anything
    private CommandSpec spec;

    @Override
    public Integer call() {
        List<CalibrationMethod> chosen = methods.stream()
                .map(name -> CalibrationMethod.named(name.strip()))
                .distinct()
                .toList();
        if (rank.isPresent() == chosen.isEmpty()) {
            throw new InvalidOptionException("--method and --rank go together");
        }
        RankChoice ranks = RankChoice.parse(rank.orElse("1"));
        if (tokens < 1) {
            throw new InvalidOptionException("tokens must be at least 1, not " + tokens);
        }
        OutFile target = new OutFile(out);
        target.check();
        String read = TextFile.read("--text", text, System.in);
        try (Progress progress = Progress.onStderr();
                Interruption interruption = new Interruption(spec, progress);
                ModelSource model = options.model();
                Engine engine = options.builder(model.path())
                        .kvDtype("f32")
                        .progress(progress.shareOf("Loading the model"))
                        .open()) {
            ranks.check(engine.model().config());
            int[] ids = engine.model().tokenizer().encode(read, true);
            Calibrator calibrator = new Calibrator(engine, new Bar(progress));
            interruption.stopWith(calibrator::cancel);
            CalibrationReport report =
                    calibrator.calibrate(Arrays.copyOf(ids, Math.min(ids.length, tokens)), chosen, ranks);
            try {
                report.calibration().write(out);
            } catch (IOException e) {
                throw target.cannotWrite(TextFile.reason(e));
            }
            Output output = Output.of(spec);
            output.print(new CalibrationTable(report).text());
            output.println("");
            output.println("written to " + out);
            return ExitCodes.OK;
        } catch (CancellationException e) {
            ErrorReport.print(spec, "interrupted");
            return ExitCodes.INTERRUPTED;
        }
    }

    /** The progress of both halves of the work. */
    private record Bar(Progress progress) implements CalibrationListener {
        @Override
        public void reading(int done, int total) {
            progress.update("Reading the text", done, total);
        }

        @Override
        public void fitting(int done, int total) {
            progress.update("Fitting bases", done, total);
        }
    }
}
