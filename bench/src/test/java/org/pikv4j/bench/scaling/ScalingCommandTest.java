package org.pikv4j.bench.scaling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pikv4j.bench.Program;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class ScalingCommandTest {
    @TempDir
    private Path directory;

    @Test
    void messagesAreCountedAndSmallBesideWhatTheySave() throws IOException {
        Program program = Program.run(
                "scaling",
                "--shards",
                "1,2,5",
                "--context",
                "4096",
                "--page-tokens",
                "16",
                "--ring-context",
                "2048",
                "--out",
                directory.toString());
        assertThat(program.err()).isEmpty();
        assertThat(program.exitCode()).isZero();
        assertThat(program.out()).contains("the demo model, 4,096 tokens in pages of 16, 8.00 MiB of keys and values");
        JsonNode report = JsonMapper.builder().build().readTree(Files.readString(directory.resolve("scaling.json")));
        assertThat(report.get("rows")).hasSize(3);
        for (JsonNode row : report.get("rows")) {
            int shards = row.get("shards").asInt();
            double closed = shards * 4 * 4 * (2 * 64 + 2) * 4.0; // layers, heads
            assertThat(row.get("partials").asDouble()).isEqualTo(closed);
            double names = shards * 4 * 2 * (16 + 20); // tiles of layers and KV heads, and one run of pages each
            assertThat(row.get("query_bytes").asDouble()
                            + row.get("answer_bytes").asDouble())
                    .isEqualTo(closed + names);
            assertThat(row.get("gather").asDouble()).isEqualTo(8 << 20);
            assertThat(row.get("row_bytes").asDouble()).isEqualTo(2048);
            assertThat(row.get("largest_share").asDouble()).isCloseTo(1, within(0.05));
        }
        assertThat(directory.resolve("scaling.png")).exists();
        assertThat(directory.resolve("rings.png")).exists();
        rings(report.get("rings"));
    }

    private static void rings(JsonNode rings) {
        assertThat(rings.get("handle_bytes").asDouble()).isBetween(100.0, 2000.0);
        int tables = 4 * 2;
        int rowBytes = 2 * 64 * 2;
        assertThat(rings.get("rows")).hasSize(3 * 6);
        for (JsonNode row : rings.get("rows")) {
            int ring = row.get("ring").asInt();
            double payload = row.get("payload_bytes").asDouble();
            double tail = row.get("tail_bytes").asDouble();
            assertThat(row.get("open_bytes").asDouble() + row.get("shard_bytes").asDouble())
                    .isCloseTo(payload + tail, within(1.0));
            assertThat(tail).isBetween(0.0, (double) tables * ring * rowBytes);
            assertThat(row.get("open_bytes").asDouble()).isBetween(tail, (double) tables * ring * rowBytes);
            double full = row.get("shard_bytes").asDouble() / (ring * rowBytes);
            assertThat(row.get("name_bytes").asDouble()).isCloseTo(28 * full, within(1.0));
        }
        for (JsonNode minimum : rings.get("minima")) {
            int shards = minimum.get("shards").asInt();
            double length = rings.get("context").asInt();
            assertThat(minimum.get("paper_ring").asDouble()).isCloseTo(Math.sqrt(length / (2 * shards)), within(0.1));
            // Sizes are measured in steps of two.
            assertThat(minimum.get("measured_ring").asDouble()
                            / minimum.get("corrected_ring").asDouble())
                    .isBetween(0.4, 2.5);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "--shards 0, --shards must be between 1 and 256",
        "--context 3, --context must be at least a page",
        "--page-tokens 17, --page-tokens must be",
        "--rings 8, --rings must be",
        "--ring-shards 0, --ring-shards must be",
        "--ring-context 0, --ring-context must be",
        "--latency -1, --latency must be",
        "--bandwidth 0, --bandwidth must be"
    })
    void badInputIsOneLine(String options, String message) {
        Program program = Program.run((Object[]) ("scaling " + options).split(" "));
        assertThat(program.exitCode()).isEqualTo(2);
        assertThat(program.err().lines()).hasSize(1);
        assertThat(program.err()).contains(message);
    }
}
