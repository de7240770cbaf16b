package org.pikv4j.bench.compression;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pikv4j.bench.Program;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.json.JsonMapper;

/** The forms on real keys and values: those of the demo model on a document it was not trained on. */
class CompressionCommandTest {
    private static final ObjectMapper JSON = JsonMapper.builder().build();

    @TempDir
    private static Path folder;

    private static Path text = Path.of("");
    private static Map<String, JsonNode> rows = Map.of();

    @BeforeAll
    static void measure() throws IOException {
        Path data = Path.of("data/recall-moe/eval-1024.jsonl");
        text = folder.resolve("document.txt");
        Files.writeString(
                text,
                JSON.readTree(Files.readAllLines(data).getFirst())
                        .get("document")
                        .asString());
        rows = run(
                folder.resolve("plain"),
                "--forms",
                "bf16",
                "int8",
                "fp8-e4m3",
                "kivi4",
                "int4",
                "int4+rotate",
                "nvfp4",
                "nvfp4+rotate",
                "mxfp4",
                "mxfp4+rotate",
                "turbo3",
                "turbo2",
                "kivi2");
    }

    private static Map<String, JsonNode> run(Path out, Object... more) throws IOException {
        Object[] arguments = new Object[7 + more.length];
        System.arraycopy(
                new Object[] {"compression", "--text", text, "--out", out, "--kv-residual", 32}, 0, arguments, 0, 7);
        System.arraycopy(more, 0, arguments, 7, more.length);
        Program program = Program.run(arguments);
        assertThat(program.err()).isEmpty();
        assertThat(program.exitCode()).isZero();
        Map<String, JsonNode> byForm = new HashMap<>();
        JSON.readTree(Files.readString(out.resolve("compression.json")))
                .get("rows")
                .forEach(row -> byForm.put(row.get("form").asString(), row));
        return byForm;
    }

    private static double error(Map<String, JsonNode> of, String form, String what) {
        return of.get(form).get("errors").get(what).asDouble();
    }

    @ParameterizedTest
    @CsvSource({
        "int8, 0.004",
        "fp8-e4m3, 0.02",
        "kivi4, 0.04",
        "int4, 0.06",
        "int4+rotate, 0.06",
        "nvfp4, 0.07",
        "turbo3, 0.1",
        "turbo2, 0.2"
    })
    void theOutputIsOffByNoMoreThan(String form, double limit) {
        assertThat(error(rows, form, "output")).isBetween(limit / 4, limit);
    }

    @ParameterizedTest
    @CsvSource({"int4", "nvfp4", "mxfp4"})
    void rotationHelps(String form) {
        assertThat(error(rows, form + "+rotate", "output")).isLessThan(error(rows, form, "output"));
    }

    @ParameterizedTest
    @CsvSource({"int8, 0.54", "int4, 0.3", "nvfp4, 0.3", "kivi2, 0.2"})
    void pagesTakeNoMoreThan(String form, double ofBf16) {
        double bf16 = error(rows, "bf16", "payload_bytes_per_token");
        assertThat(error(rows, form, "payload_bytes_per_token") / bf16).isLessThanOrEqualTo(ofBf16);
    }

    @Test
    void whatIsLostMoreIsFurtherOff() {
        assertThat(rows.get("kivi2").get("divergence").asDouble())
                .isGreaterThan(rows.get("int8").get("divergence").asDouble());
        assertThat(rows.get("int8").get("agreement").asDouble()).isGreaterThan(0.98);
        assertThat(rows.get("kivi2").get("front").asBoolean()).isFalse();
        assertThat(rows.get("int8").get("front").asBoolean()).isTrue();
        assertThat(folder.resolve("plain/compression-errors.png")).isNotEmptyFile();
    }

    @Test
    void outlierChannelsTellFormsApart() throws IOException {
        Map<String, JsonNode> outliers =
                run(folder.resolve("outliers"), "--outliers", 20, "--forms", "bf16", "int4", "int4+rotate", "kivi4");
        double kivi = error(outliers, "kivi4", "output");
        double rotated = error(outliers, "int4+rotate", "output");
        assertThat(kivi).isLessThan(rotated / 2);
        assertThat(rotated).isLessThan(error(outliers, "int4", "output"));
        // Per channel nothing has changed.
        assertThat(kivi).isBetween(0.5 * error(rows, "kivi4", "output"), 1.5 * error(rows, "kivi4", "output"));
    }

    @Test
    void timesAreTakenAndFittedWhereTheyAreAskedFor() throws IOException {
        Path out = folder.resolve("times");
        Map<String, JsonNode> timed = run(out, "--lengths", "512,1024", "--forms", "bf16", "int4");
        assertThat(timed.get("int4").get("attend")).hasSize(2);
        assertThat(out.resolve("compression-speed.png")).isNotEmptyFile();
    }

    @ParameterizedTest
    @CsvSource({
        "--forms int3, --forms 'int3' is unknown",
        "--forms svd:8, --forms svd:8 needs a calibration",
        "--forms chunk-pca:60, --forms chunk-pca:60 does not compress",
        "--forms int8;9=int4, --forms 'int8;9=int4' names layer 9",
        "--kv-calibration missing --forms bf16 int8, --kv-calibration is unused",
        "--kv-dtype int8, Unknown option '--kv-dtype'"
    })
    void badFormsAreOneLine(String options, String message) {
        Program program =
                Program.run(Stream.concat(Stream.of("compression", "--text", text), Stream.of(options.split(" ")))
                        .toArray());
        assertThat(program.exitCode()).isEqualTo(2);
        assertThat(program.err()).hasLineCount(1).contains("bench: " + message);
    }
}
