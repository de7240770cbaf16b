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
            double pages = 4 * 2 * 256; // layers, KV heads
            double names = shards * 4 * 2 * 12 + pages * 12; // tiles and ranges
            assertThat(row.get("query_bytes").asDouble()
                            + row.get("answer_bytes").asDouble())
                    .isEqualTo(closed + names);
            assertThat(row.get("gather").asDouble()).isEqualTo(8 << 20);
            assertThat(row.get("row_bytes").asDouble()).isEqualTo(2048);
            assertThat(row.get("largest_share").asDouble()).isCloseTo(1, within(0.05));
        }
        assertThat(directory.resolve("scaling.png")).exists();
    }

    @ParameterizedTest
    @CsvSource({
        "--shards 0, --shards must be between 1 and 256",
        "--context 3, --context must be at least a page",
        "--page-tokens 17, --page-tokens must be",
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
