package org.pikv4j.bench.model;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.Locale;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.function.DoubleConsumer;
import java.util.stream.Stream;
import org.pikv4j.cli.CommonOptions;
import org.pikv4j.cli.DemoModel;
import org.pikv4j.cli.ErrorReport;
import org.pikv4j.cli.ExitCodes;
import org.pikv4j.cli.Interruption;
import org.pikv4j.cli.Output;
import org.pikv4j.cli.Progress;
import org.pikv4j.cli.TextFile;
import org.pikv4j.error.InvalidOptionException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Writes a checkpoint with random weights. */
@Command(
        name = "make-model",
        description = "Write a Mixtral checkpoint with random, well-scaled weights, for measuring speed and memory.")
public final class MakeModelCommand implements Callable<Integer> {

    /** The presets by their names on the command line. */
    enum Size {
        s,
        m;

        Preset preset() {
            return switch (this) {
                case s -> Preset.S;
                case m -> Preset.M;
            };
        }
    }

    @Option(
            names = "--preset",
            paramLabel = "s|m",
            required = true,
            description =
                    "s: hidden 256, 4 layers, 16M parameters. m: hidden 1024, 8 layers, 432M parameters, of which a token uses"
                            + " 126M, the embedding not counted.")
    private Size size = Size.s;

    @Option(names = "--out", paramLabel = "DIR", required = true, description = "Directory to write.")
    private Path out = Path.of("");

    @Option(names = "--seed", paramLabel = "S", description = "Seed of the weights (default: ${DEFAULT-VALUE}).")
    private long seed = 1;

    @Option(names = "--force", description = "Replace what is in the directory.")
    private boolean force;

    @Mixin
    private final CommonOptions common = new CommonOptions();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before it runs anything
    private CommandSpec spec;

    @Override
    public Integer call() {
        Path target = out.toAbsolutePath().normalize();
        Path parent = target.getParent();
        if (parent == null) {
            throw new InvalidOptionException("--out " + out + ": cannot be replaced");
        }
        try (Progress progress = Progress.onStderr();
                Interruption interruption = new Interruption(spec, progress)) {
            if (Files.exists(target) && !(Files.isDirectory(target) && (force || isEmpty(target)))) {
                throw new InvalidOptionException(
                        "--out " + out + ": exists and is not an empty directory; --force replaces a directory");
            }
            Files.createDirectories(parent);
            interruption.stopWith(() -> {}); // the next step of the progress finds out
            try {
                write(target, parent, stopping(interruption, progress.shareOf("Writing")));
            } catch (CancellationException e) {
                ErrorReport.print(spec, "interrupted");
                return ExitCodes.INTERRUPTED;
            }
        } catch (IOException e) {
            throw new InvalidOptionException("--out " + out + ": cannot be written: " + TextFile.reason(e));
        }
        return ExitCodes.OK;
    }

    private static DoubleConsumer stopping(Interruption interruption, DoubleConsumer progress) {
        return share -> {
            if (interruption.interrupted()) {
                throw new CancellationException();
            }
            progress.accept(share);
        };
    }

    /** Everything goes to a directory beside the target, which takes its place when it is whole. */
    private void write(Path target, Path parent, DoubleConsumer progress) throws IOException {
        Path temporary = Files.createDirectory(parent.resolve("." + target.getFileName() + "." + UUID.randomUUID()));
        ModelMaker maker = new ModelMaker(size.preset(), seed);
        try (DemoModel demo = new DemoModel()) {
            String tokenizer = TokenizerMaker.grow(
                    demo.path().resolve("tokenizer.json"), size.preset().vocabulary());
            maker.write(temporary, tokenizer, progress);
            delete(target);
            Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            delete(temporary);
        }
        Output.of(spec)
                .println(String.format(
                        Locale.ROOT,
                        "%s: preset %s, %.1f million parameters, seed %d",
                        out,
                        size,
                        maker.parameters() / 1e6,
                        seed));
        Output.of(spec).println("to measure it: pikv4j-bench run --model " + out);
    }

    private static boolean isEmpty(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.findAny().isEmpty();
        }
    }

    private static void delete(Path directory) throws IOException {
        if (!Files.exists(directory)) {
            return;
        }
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }
}
