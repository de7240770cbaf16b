package org.pikv4j.bench.routing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pikv4j.bench.Program;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.json.JsonMapper;

/** Three documents, on which routers that know something tell themselves apart from dice; more is a command, not a test. */
class RoutingCommandTest {
    private static final ObjectMapper JSON = JsonMapper.builder().build();

    @TempDir
    private static Path out;

    private static String table = "";
    private static JsonNode report = JSON.createObjectNode();

    @BeforeAll
    static void measure() throws IOException {
        Program program = Program.run(
                "routing",
                "--data",
                "data/recall-moe",
                "--lengths",
                256,
                "--limit",
                3,
                "--routers",
                "query-centroid,cache-aware,exact",
                "--k",
                "1,2,6",
                "--by",
                "expert",
                "--shards",
                "8",
                "--out",
                out);
        assertThat(program.err()).isEmpty();
        assertThat(program.exitCode()).isZero();
        table = program.out();
        report = JSON.readTree(Files.readString(out.resolve("routing.json")));
    }

    private static JsonNode row(String router, int k) {
        for (JsonNode row : report.get("files").get(0).get("rows")) {
            if (row.get("router").asString().equals(router) && row.get("k").asInt() == k) {
                return row;
            }
        }
        throw new AssertionError(router + " " + k + " is missing");
    }

    private static double number(String router, int k, String what) {
        return row(router, k).get(what).asDouble();
    }

    @Test
    void nobodyKeepsMoreThanTheClairvoyant() {
        for (String router : List.of("hash", "query-centroid", "cache-aware")) {
            assertThat(number(router, 2, "mass")).isLessThan(number("clairvoyant", 2, "mass"));
            assertThat(number(router, 2, "of_clairvoyant"))
                    .isEqualTo(number(router, 2, "mass") / number("clairvoyant", 2, "mass"));
        }
        assertThat(number("query-centroid", 2, "mass")).isGreaterThan(number("hash", 2, "mass"));
        assertThat(number("exact", 1, "mass")).isGreaterThan(0.9999);
        assertThat(number("exact", 1, "bytes_share")).isEqualTo(1);
        assertThat(number("exact", 1, "divergence")).isLessThan(1e-3);
    }

    @Test
    void moreShardsAreMoreBytesAndMoreMass() {
        for (String router : List.of("hash", "query-centroid")) {
            assertThat(number(router, 6, "bytes")).isGreaterThan(number(router, 1, "bytes"));
            assertThat(number(router, 6, "mass")).isGreaterThan(number(router, 1, "mass"));
        }
        double at = number("query-centroid", 2, "random_at_bytes");
        assertThat(at).isBetween(number("hash", 1, "mass"), number("hash", 6, "mass"));
    }

    @Test
    void whoReadsAllIsBesideNobody() {
        JsonNode exact = row("exact", 2);
        assertThat(exact.get("of_clairvoyant").isNull()).isTrue();
        assertThat(exact.get("random_at_bytes").isNull()).isTrue();
        assertThat(table.lines().filter(line -> line.startsWith("exact")))
                .allSatisfy(line -> assertThat(line.split(" +")).containsSequence("-", "-"));
    }

    /** Both give up where there is nothing to compute from: one k, one document. The demo model's answers outgrow the right ones there. */
    @Test
    void oneKHasDiceAtOthersBesideItAndOneDocumentNoInterval(@TempDir Path directory) throws IOException {
        Program program = Program.run(
                "routing",
                "--data",
                "data/recall-codes",
                "--lengths",
                256,
                "--limit",
                1,
                "--routers",
                "largest",
                "--k",
                2,
                "--by",
                "expert",
                "--out",
                directory);
        assertThat(program.err()).isEmpty();
        assertThat(program.exitCode()).isZero();
        JsonNode rows = JSON.readTree(Files.readString(directory.resolve("routing.json")))
                .get("files")
                .get(0)
                .get("rows");
        assertThat(rows.size()).isGreaterThan(3);
        for (JsonNode row : rows) {
            boolean asked = row.get("k").asInt() == 2;
            assertThat(row.get("random_at_bytes").isNumber()).isTrue();
            assertThat(row.get("of_clairvoyant").isNumber()).isEqualTo(asked);
            assertThat(row.get("router").asString().equals("hash") || asked).isTrue();
            assertThat(row.get("mass_interval").isNull()).isTrue();
        }
        assertThat(program.out().lines().filter(line -> line.startsWith("largest")))
                .singleElement()
                .satisfies(line -> assertThat(line.split(" +")[2]).isEqualTo("-"));
    }

    @Test
    void attentionReadsAsMuchAsItSaysAndMessagesGoWherePagesAre() {
        assertThat(number("hash", 2, "flops_per_byte")).isEqualTo(2); // two heads in a group, two bytes
        assertThat(number("query-centroid", 2, "flops_per_byte")).isBetween(1.5, 2.0);
        for (String router : List.of("hash", "exact")) {
            double sum = number(router, 1, "local") + number(router, 1, "remote") + number(router, 1, "broadcast");
            assertThat(sum).isEqualTo(1);
        }
        assertThat(number("hash", 1, "broadcast")).isZero();
        assertThat(row("hash", 1).get("imbalances")).hasSize(3);
        assertThat(number("hash", 1, "imbalance")).isGreaterThanOrEqualTo(1);
        assertThat(number("hash", 1, "least_use")).isLessThanOrEqualTo(1);
    }

    @Test
    void tableAndPicturesAreThere() {
        assertThat(table)
                .contains("eval-256.jsonl: 3 documents, 12 questions")
                .contains("2 of 8 shards, pages by expert")
                .contains("8 shards by expert")
                .contains("local remote   all");
        assertThat(out.resolve("routing-eval-256-expert.png")).isNotEmptyFile();
        assertThat(out.resolve("routing-eval-256-loads.png")).isNotEmptyFile();
        assertThat(out.resolve("routing-eval-256-page.png")).doesNotExist();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--routers best | pikv4j-bench: --routers 'best' is unknown; known: exact, hash,",
                "--k 0 | pikv4j-bench: --k must be at least 1",
                "--k 9 | pikv4j-bench: --routers hash: k=9 where layers have 8 experts",
                "--by row | pikv4j-bench: --by must be expert or page, not 'row'",
                "--limit 0 | pikv4j-bench: --limit must be at least 1"
            })
    void whatCannotBeIsSaidInALine(String arguments, String message) {
        String[] words = arguments.strip().split(" ");
        Program program = Program.run("routing", "--data", "data/recall-moe", "--lengths", 256, words[0], words[1]);
        assertThat(program.exitCode()).isEqualTo(2);
        assertThat(program.err()).contains(message.strip()).hasLineCount(1);
    }
}
