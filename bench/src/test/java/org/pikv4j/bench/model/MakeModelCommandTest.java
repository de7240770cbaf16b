package org.pikv4j.bench.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pikv4j.PiKV;
import org.pikv4j.bench.Program;
import org.pikv4j.session.Engine;
import org.pikv4j.session.Session;
import org.pikv4j.text.Tokenizer;

class MakeModelCommandTest {

    @Test
    void aModelThatIsMadeRunsAndIsMeasured(@TempDir Path directory) throws IOException {
        Path model = directory.resolve("s");
        Program made = Program.run("make-model", "--preset", "s", "--out", model);
        assertThat(made.err()).isEmpty();
        assertThat(made.exitCode()).isZero();
        assertThat(made.out()).endsWith("run --model " + model + "\n");
        assertThat(directory).isDirectoryContaining("glob:**/s").isDirectoryNotContaining("glob:**/.s*");

        try (Engine engine = PiKV.model(model).open();
                Session session = engine.openSession()) {
            Tokenizer tokenizer = engine.model().tokenizer();
            String text = "Grüße, 世界! The knife is in the garage.\n";
            assertThat(tokenizer.vocabularySize()).isEqualTo(4096);
            assertThat(tokenizer.decode(tokenizer.encode(text, true), true)).isEqualTo(text);
            // Well scaled: logits of order one, neither flat nor saturated.
            double[] squares = {0, 0};
            session.logits(tokenizer.encode(text, true), (span, index, logits, offset) -> {
                for (int v = 0; v < 4096; v++) {
                    squares[0] += (double) logits[offset + v] * logits[offset + v];
                    squares[1]++;
                }
            });
            assertThat(Math.sqrt(squares[0] / squares[1])).isBetween(0.5, 2.0);
        }

        Path results = directory.resolve("results");
        Program measured = Program.run(
                "run",
                "--model",
                model,
                "--depths",
                "0,40",
                "--prompt",
                20,
                "--generate",
                3,
                "--repeat",
                1,
                "--out",
                results);
        assertThat(measured.err()).isEmpty();
        assertThat(measured.out()).contains("prompt of 20", "decode at 0", "decode at 40", "GB/s");
        assertThat(Files.readString(results.resolve("bench-run.json"))).contains("read_bandwidth", "\"depth\" : 40");
        assertThat(results.resolve("bench-run.png")).isNotEmptyFile();
    }

    @Test
    void equalSeedsMakeEqualFilesAndNothingIsOverwritten(@TempDir Path directory) throws IOException {
        Path one = directory.resolve("one");
        Path two = directory.resolve("two");
        for (Path model : List.of(one, two)) {
            Files.createDirectory(model);
            assertThat(Program.run("make-model", "--preset", "s", "--seed", 5, "--out", model)
                            .exitCode())
                    .isZero();
        }
        assertThat(one.resolve("model.safetensors")).hasSameBinaryContentAs(two.resolve("model.safetensors"));
        for (Object place : new Object[] {"", one.resolve("config.json/below")}) {
            Program elsewhere = Program.run("make-model", "--preset", "s", "--out", place);
            assertThat(elsewhere.exitCode()).isEqualTo(2);
            assertThat(elsewhere.err().strip())
                    .startsWith("pikv4j-bench: --out")
                    .doesNotContain("\n", "Exception");
        }
        Program again = Program.run("make-model", "--preset", "s", "--out", one);
        assertThat(again.exitCode()).isEqualTo(2);
        assertThat(again.err().strip()).contains("--force").doesNotContain("\n");
        assertThat(Program.run("make-model", "--preset", "s", "--out", one, "--force")
                        .exitCode())
                .isZero();
        assertThat(one.resolve("model.safetensors").toFile().length())
                .isEqualTo(two.resolve("model.safetensors").toFile().length());
        assertThat(Files.mismatch(one.resolve("model.safetensors"), two.resolve("model.safetensors")))
                .isNotEqualTo(-1);
    }
}
