package org.pikv4j.bench.recall;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pikv4j.bench.Program;

/** Slices of the evaluation sets; the whole of them is a command, not a test. */
class RecallCommandTest {
    private static final Path DATA = Path.of("data");

    @ParameterizedTest
    @CsvSource({"scalar, 256, 6", "vector, 256, 6", "vector, 2048, 2"})
    void theDemoModelRecallsWhatItRead(String backend, int length, int documents, @TempDir Path out)
            throws IOException {
        Program program = Program.run(
                "recall",
                "--data",
                DATA.resolve("recall-moe/eval-" + length + ".jsonl"),
                "--backend",
                backend,
                "--limit",
                documents,
                "--out",
                out);
        assertThat(program.err()).isEmpty();
        assertThat(program.exitCode()).isZero();
        assertThat(program.out()).contains(4 * documents + "/" + 4 * documents);
        assertThat(Files.readString(out.resolve("recall.json")))
                .contains("\"right\" : " + 4 * documents)
                .contains("\"peak_kv_bytes\"");
    }

    @ParameterizedTest
    @ValueSource(strings = {"scalar", "vector"})
    void theModelWithOneKvHeadToo(String backend) {
        Program program = Program.run(
                "recall",
                "--model",
                DATA.resolve("recall-codes"),
                "--data",
                DATA.resolve("recall-codes/eval-512.jsonl"),
                "--backend",
                backend,
                "--page-tokens",
                16,
                "--sessions",
                3,
                "--limit",
                3);
        assertThat(program.err()).isEmpty();
        assertThat(program.out()).contains("12/12");
    }

    @Test
    void damagedDataIsNamed(@TempDir Path directory) throws IOException {
        Path file = directory.resolve("eval.jsonl");
        for (String line : new String[] {
            "no json",
            "{\"document\": \"a\"}",
            "{\"document\": \"a\", \"questions\": [{\"question\": \"b\"}]}",
            "null",
            ""
        }) {
            Files.writeString(file, line + "\n");
            Program program = Program.run("recall", "--data", file);
            assertThat(program.exitCode()).as(line).isEqualTo(2);
            assertThat(program.err().strip())
                    .as(line)
                    .startsWith("pikv4j-bench: --data " + file + ": ")
                    .doesNotContain("\n");
        }
        Program missing = Program.run("recall", "--data", directory.resolve("none.jsonl"));
        assertThat(missing.exitCode()).isEqualTo(2);
        assertThat(missing.err())
                .isEqualTo("pikv4j-bench: --data " + directory.resolve("none.jsonl") + ": no such file or directory\n");
    }

    @Test
    void aPlaceThatCannotBeWrittenIsNamedBeforeTheWork(@TempDir Path directory) throws IOException {
        Path file = Files.createFile(directory.resolve("file"));
        Program program = Program.run("recall", "--data", DATA.resolve("recall-moe/eval-256.jsonl"), "--out", file);
        assertThat(program.exitCode()).isEqualTo(2);
        assertThat(program.err())
                .isEqualTo("pikv4j-bench: --out " + file + ": cannot be made: " + file
                        + " is there, and is no directory\n");
        assertThat(program.out()).isEmpty();
    }

    @Test
    void theHelpNamesTheDataOnce() {
        String help = Program.run("recall", "--help").out();
        assertThat(help.substring(0, help.indexOf("Options:"))).containsOnlyOnce("--data");
    }

    @Test
    void wilsonsIntervalIsTheTextbooks() {
        // 81 of 263: the example of Newcombe, Statistics in Medicine 17 (1998), table I.
        RecallScore score = RecallScore.of("f", 81, 263, 1, 1, 1);
        assertThat(score.low()).isCloseTo(0.2553, within(1e-4));
        assertThat(score.high()).isCloseTo(0.3662, within(1e-4));
        assertThat(RecallScore.of("f", 20, 20, 1, 1, 1).high()).isEqualTo(1);
    }
}
