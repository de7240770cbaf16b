package org.pikv4j.app;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.pikv4j.PiKV;
import org.pikv4j.cli.CommonOptions;
import org.pikv4j.cli.EngineOptionsMixin;
import org.pikv4j.cli.ErrorReport;
import org.pikv4j.cli.ExitCodes;
import org.pikv4j.cli.Interruption;
import org.pikv4j.cli.ModelSource;
import org.pikv4j.cli.Progress;
import org.pikv4j.cli.TextFile;
import org.pikv4j.error.ContextLengthException;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.error.SessionStateException;
import org.pikv4j.loader.safetensors.ElementType;
import org.pikv4j.loader.safetensors.SafetensorsWriter;
import org.pikv4j.loader.safetensors.TensorDeclaration;
import org.pikv4j.model.ModelConfig;
import org.pikv4j.session.Engine;
import org.pikv4j.session.Session;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Writes the logits of given tokens to a file: the door for outside checks. */
@Command(
        name = "logits",
        description = "Write the next-token logits at every position of a sequence to a safetensors file.",
        footerHeading = "%nExample:%n",
        footer = {
            "  echo 1 17 42 > ids.txt",
            "  pikv4j logits --model my-model --ids ids.txt --out logits.safetensors",
            "",
            "The file holds one float32 tensor, logits (tokens, vocabulary)."
        })
final class LogitsCommand implements Callable<Integer> {
    @Option(
            names = "--ids",
            paramLabel = "FILE",
            required = true,
            description = "Token ids as whitespace-separated integers; - for stdin.")
    private String ids = "";

    @Option(
            names = "--out",
            paramLabel = "FILE",
            required = true,
            description = "The safetensors file to write or replace.")
    private Path out = Path.of("");

    @Mixin
    private final EngineOptionsMixin engineOptions = new EngineOptionsMixin("f32");

    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before it runs anything
    private CommandSpec spec;

    @Override
    public Integer call() {
        OutFile target = new OutFile(out);
        target.check();
        try (Progress progress = Progress.onStderr();
                Interruption interruption = new Interruption(spec, progress)) {
            return run(TextFile.read("--ids", ids, System.in), target, progress, interruption);
        }
    }

    private int run(String text, OutFile target, Progress progress, Interruption interruption) {
        try (ModelSource model = engineOptions.model()) {
            ModelConfig config = PiKV.config(model.path());
            int[] tokens = TokenIds.parse("--ids " + ids, text, config.vocabulary());
            if (tokens.length > config.maxPositions()) {
                throw new InvalidOptionException("--ids " + ids + ": "
                        + new ContextLengthException(tokens.length, config.maxPositions()).getMessage());
            }
            try {
                write(model.path(), tokens, config.vocabulary(), progress, interruption);
            } catch (IOException e) {
                throw target.cannotWrite(TextFile.reason(e));
            } catch (UncheckedIOException e) {
                throw target.cannotWrite(TextFile.reason(Objects.requireNonNull(e.getCause())));
            } catch (SessionStateException e) {
                if (!interruption.interrupted()) {
                    throw e;
                }
                ErrorReport.print(spec, "interrupted");
                return ExitCodes.INTERRUPTED;
            }
        }
        return ExitCodes.OK;
    }

    private void write(Path model, int[] tokens, int vocabulary, Progress progress, Interruption interruption)
            throws IOException {
        TensorDeclaration logits = new TensorDeclaration("logits", ElementType.F32, tokens.length, vocabulary);
        try (Engine engine = engineOptions.open(model, progress.shareOf("Loading the model"));
                Session session = engine.openSession();
                SafetensorsWriter writer = SafetensorsWriter.create(out, List.of(logits), Map.of())) {
            interruption.stopWith(session::close);
            session.logits(tokens, (span, index, values, offset) -> {
                try {
                    writer.write(values, offset, vocabulary);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
                progress.update("Computing logits", index + 1, tokens.length);
            });
            writer.finish();
        }
    }
}
