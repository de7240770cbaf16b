package org.pikv4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.session.Engine;
import org.pikv4j.session.Session;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;

class CliTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int execute(Callable<Integer> action, String... args) {
        CommandLine commandLine = Cli.commandLine(
                CommandSpec.forAnnotatedObject(new Program()).addSubcommand("sub", new CommandLine(new Sub(action))));
        commandLine.setOut(new PrintWriter(out));
        commandLine.setErr(new PrintWriter(err));
        return commandLine.execute(args);
    }

    private void assertOneLine(String... parts) {
        assertThat(err.toString()).startsWith("program: ").endsWith("\n").contains(parts);
        assertThat(err.toString().lines()).hasSize(1);
    }

    @Test
    void usageErrorsAreOneLineAndTwo() {
        assertThat(execute(() -> 0, "sbu")).isEqualTo(ExitCodes.USAGE);
        assertOneLine("Unknown command 'sbu'", "(see program --help)");
    }

    @Test
    void noArgumentsAskForTheUsage() {
        assertThat(execute(() -> 0)).isEqualTo(ExitCodes.USAGE);
        assertThat(err.toString()).startsWith("Usage: program").contains("sub");
        assertThat(out.toString()).isEmpty();
    }

    @Test
    void whatTheLibrarySaysOfAnOptionBeginsWithIt() {
        CommandSpec spec = CommandSpec.forAnnotatedObject(new Sub(() -> 0));
        assertThat(OptionNames.ofLibrary("threads must be 1", spec)).isEqualTo("--threads must be 1");
        assertThat(OptionNames.ofLibrary("backend 'x' is unknown", spec)).isEqualTo("--backend 'x' is unknown");
        for (String other : new String[] {"the threads", "thing 'x'", "dir/config.json: threads", "threads"}) {
            assertThat(OptionNames.ofLibrary(other, spec)).isEqualTo(other);
        }
    }

    @Test
    void theBarFitsInTheTerminal() {
        assertThat(Progress.width(OptionalInt.of(40))).isEqualTo(39);
        assertThat(Progress.width(OptionalInt.of(400))).isEqualTo(100);
        assertThat(Progress.width(OptionalInt.empty())).isEqualTo(72);
    }

    @Test
    void filesThatCannotBeMadeAreExplainedInWords(@TempDir Path directory) throws Exception {
        Path file = Files.createFile(directory.resolve("file"));
        assertThatThrownBy(() -> Files.createDirectories(file))
                .isInstanceOfSatisfying(
                        IOException.class,
                        e -> assertThat(TextFile.reason(e)).isEqualTo(file + " is there, and is no directory"));
    }

    @Test
    void aWordThatIsNearlyRightIsSuggested() {
        assertThat(execute(() -> 0, "sub", "--kv-dtyp", "f32")).isEqualTo(ExitCodes.USAGE);
        assertOneLine("--kv-dtyp", "did you mean --kv-dtype", "(see program sub --help)");
    }

    @Test
    void valuesAreChecked() {
        assertThat(execute(() -> 0, "sub", "--kv-budget", "much")).isEqualTo(ExitCodes.USAGE);
        assertOneLine("--kv-budget", "'much' is no size");
        err.getBuffer().setLength(0);
        assertThat(execute(() -> 0, "sub", "--threads", "two")).isEqualTo(ExitCodes.USAGE);
        assertOneLine("program: --threads: 'two' is not a whole number");
    }

    @Test
    void whatTheCallerCanMendIsTwo() {
        assertThat(execute(
                        () -> {
                            throw new InvalidOptionException("two\n  lines");
                        },
                        "sub"))
                .isEqualTo(ExitCodes.USAGE);
        assertThat(err.toString()).isEqualTo("program: two lines\n");
    }

    @Test
    void whatNobodyForesawIsOne() {
        assertThat(execute(
                        () -> {
                            throw new IllegalStateException("oops");
                        },
                        "sub"))
                .isEqualTo(ExitCodes.FAILURE);
        assertOneLine("oops", ErrorReport.STACK_TRACE);
    }

    @Test
    void helpHasSectionsWithEveryOptionOnce() {
        assertThat(execute(() -> 0, "sub", "--help")).isZero();
        String help = out.toString().replaceAll("\\s+", " ");
        assertThat(help.substring(help.indexOf(']')))
                .containsOnlyOnce("Model, cache and backend: --model")
                .containsOnlyOnce("General options:")
                .containsOnlyOnce("--verbose")
                .containsOnlyOnce("--version")
                .contains("default: f32");
    }

    @Test
    void jsonIsOneLineInSnakeCase() {
        record Point(int firstNumber, String someText) {}
        assertThat(Json.line(new Point(1, "a\nb"))).isEqualTo("{\"first_number\":1,\"some_text\":\"a\\nb\"}");
    }

    @Test
    void temporaryDirectoriesGoAway() throws Exception {
        Path path;
        try (TemporaryDirectory directory = new TemporaryDirectory("pikv4j-test-")) {
            path = directory.path();
            Files.createDirectories(path.resolve("a/b"));
            Files.writeString(path.resolve("a/b/c"), "c");
        }
        assertThat(path).doesNotExist();
    }

    @Test
    void aModelThatIsNowhereIsNamed(@TempDir Path directory) throws Exception {
        Files.createFile(directory.resolve("config.json"));
        EngineOptionsMixin options = new EngineOptionsMixin("bf16");
        new CommandLine(new Holder(options)).parseArgs("--model", directory.toString());
        try (ModelSource source = options.model()) {
            assertThat(source.path()).isEqualTo(directory);
        }
        new CommandLine(new Holder(options)).parseArgs("--model", "org/no-such-model");
        assertThat(catchThrowable(options::model))
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("org/no-such-model");
    }

    @Test
    void theDemoModelRuns() {
        Path path;
        try (DemoModel model = new DemoModel()) {
            path = model.path();
            EngineOptionsMixin options = new EngineOptionsMixin("bf16");
            try (Engine engine = options.open(path, share -> {});
                    Session session = engine.openSession()) {
                List<Integer> seen = new ArrayList<>();
                session.logits(new int[] {1, 2, 3}, (span, index, logits, offset) -> seen.add(index));
                assertThat(seen).containsExactly(0, 1, 2);
            }
        }
        assertThat(path).doesNotExist();
    }

    @Command(name = "program", mixinStandardHelpOptions = true)
    private static final class Program {}

    @Command
    private record Holder(@Mixin EngineOptionsMixin options) {}

    @Command(name = "sub")
    private static final class Sub implements Callable<Integer> {
        @Mixin
        private final EngineOptionsMixin options = new EngineOptionsMixin("f32");

        @Mixin
        private final CommonOptions common = new CommonOptions();

        private final Callable<Integer> action;

        Sub(Callable<Integer> action) {
            this.action = action;
        }

        @Override
        public Integer call() throws Exception {
            return action.call();
        }
    }
}
