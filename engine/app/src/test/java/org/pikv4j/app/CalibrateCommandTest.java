package org.pikv4j.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CalibrateCommandTest {
    private static final String DOCUMENT = "../app/demo/document.txt";

    @TempDir
    private Path directory;

    @Test
    void theFileIsOfUseToRun() throws IOException {
        Path out = directory.resolve("kv.safetensors");
        Program calibrated = Program.run(
                "calibrate",
                "--text",
                DOCUMENT,
                "--method",
                "svd,lora++",
                "--rank",
                "0=16;1-=32",
                "--tokens",
                "800",
                "--out",
                out.toString());
        assertThat(calibrated.err()).isEmpty();
        assertThat(calibrated.code()).isZero();
        assertThat(calibrated.out().lines()).hasSize(2 + 4 + 1 + 2 + 2 * 4 + 2 + 2);
        assertThat(calibrated.out())
                .startsWith("what heads lose")
                .containsPattern("\n +3 +\\d+\\.\\d% +\\d+\\.\\d%\n")
                .contains("\nenergy kept of keys and values, on 800 tokens\n")
                .containsPattern("svd +0 +16/64 +\\d+\\.\\d\\d% +\\d+\\.\\d\\d%\n")
                .containsPattern("lora\\+\\+ +mean ")
                .contains("\nwritten to " + out);
        try (Stream<Path> files = Files.list(directory)) {
            assertThat(files).containsExactly(out);
        }

        Program run = Program.run(
                "run",
                "--prompt",
                Files.readString(Path.of(DOCUMENT)).substring(6000),
                "--kv-calibration",
                out.toString(),
                "--kv-dtype",
                "0=svd:16;1-=lora++:32,svd:32",
                "--kv-residual",
                "64",
                "--kv-sinks",
                "0");
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.out()).startsWith(" The ");
    }

    @Test
    void noShareOfTheEnergyIsBelowZero() {
        Program program = Program.run(
                "calibrate",
                "--text",
                DOCUMENT,
                "--method",
                "distill",
                "--rank",
                "8",
                "--tokens",
                "800",
                "--out",
                directory.resolve("kv.safetensors").toString());
        assertThat(program.code()).as(program.err()).isZero();
        assertThat(program.out())
                .containsPattern("distill +0 +8/64 +- +\\d+\\.\\d\\d%  KL of weights ")
                .containsPattern("distill +mean +- +\\d+\\.\\d\\d%\n")
                .contains("-: further off than zeros are");
    }

    @Test
    void whatWasThereStaysWhereNothingCanBeWritten() throws IOException {
        Path out = directory.resolve("kv.safetensors");
        Files.writeString(out, "what was there before");
        Program program = Program.run(
                "calibrate",
                "--text",
                DOCUMENT,
                "--method",
                "svd",
                "--rank",
                "8",
                "--kv-budget",
                "512KiB",
                "--out",
                out.toString());
        assertThat(program.code()).isEqualTo(2);
        assertThat(program.err()).contains("budget").hasLineCount(1);
        assertThat(out).hasContent("what was there before");
    }
}
