package org.pikv4j.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pikv4j.loader.safetensors.ElementType;
import org.pikv4j.loader.safetensors.RawTensor;
import org.pikv4j.loader.safetensors.SafetensorsFile;

class LogitsCommandTest {
    @TempDir
    private Path directory;

    @ParameterizedTest
    @CsvSource({"mixtral, vector", "mixtral, scalar", "qwen3-moe, vector", "qwen3-moe, scalar"})
    void theFileHoldsTheGoldenLogits(String name, String backend) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            Path model = Program.fixture(name);
            SafetensorsFile golden = SafetensorsFile.map(model.resolve("golden.safetensors"), arena);
            int[] ids = golden.find("input_ids").orElseThrow().toInts();
            Path file = directory.resolve("ids.txt");
            Files.writeString(
                    file, Arrays.stream(ids).mapToObj(Integer::toString).collect(Collectors.joining("\n ")));
            Path out = directory.resolve("logits.safetensors");
            Files.writeString(out, "what was there before");
            Program program = Program.run(
                    "logits",
                    "--model",
                    model.toString(),
                    "--ids",
                    file.toString(),
                    "--out",
                    out.toString(),
                    "--backend",
                    backend,
                    "--prefill-chunk",
                    "7");
            assertThat(program).isEqualTo(new Program(0, "", ""));

            SafetensorsFile written = SafetensorsFile.map(out, arena);
            assertThat(written.names()).containsExactly("logits");
            RawTensor logits = written.find("logits").orElseThrow();
            assertThat(logits.type()).isEqualTo(ElementType.F32);
            assertThat(logits.shape()).containsExactly((long) ids.length, 925L);
            assertThat(floats(logits)).hasSize(ids.length * 925);
            float[] expected = floats(golden.find("logits").orElseThrow());
            float[] actual = floats(logits);
            for (int i = 0; i < expected.length; i++) {
                assertThat(Math.abs(actual[i] - expected[i]))
                        .as("element %s", i)
                        .isLessThan(5e-3f);
            }
        }
        try (Stream<Path> files = Files.list(directory)) {
            assertThat(files.map(Path::getFileName).map(Path::toString))
                    .containsExactlyInAnyOrder("ids.txt", "logits.safetensors");
        }
    }

    private static float[] floats(RawTensor tensor) {
        return tensor.data().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
    }

    @Test
    void aFailureLeavesTheFileAsItWas() throws IOException {
        Path ids = directory.resolve("ids.txt");
        Files.writeString(ids, "5 ".repeat(300));
        Path out = directory.resolve("logits.safetensors");
        Files.writeString(out, "what was there before");
        // The first chunk fits the budget, the last does not.
        Program program = Program.run(
                "logits",
                "--ids",
                ids.toString(),
                "--out",
                out.toString(),
                "--kv-budget",
                "512KiB",
                "--prefill-chunk",
                "64");
        assertThat(program.code()).isEqualTo(2);
        assertThat(program.err()).contains("budget");
        assertThat(out).hasContent("what was there before");
        try (Stream<Path> files = Files.list(directory)) {
            assertThat(files).hasSize(2);
        }
    }
}
