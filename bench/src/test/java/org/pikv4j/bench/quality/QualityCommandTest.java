package org.pikv4j.bench.quality;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.pikv4j.bench.Program;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.json.JsonMapper;

/** Two documents, and budgets that tell policies apart; more is a command, not a test. */
class QualityCommandTest {
    private static final ObjectMapper JSON = JsonMapper.builder().build();
    private static final String DATA = "data/recall-moe";

    @TempDir
    private static Path out;

    private static String table = "";
    private static JsonNode report = JSON.createObjectNode();

    @BeforeAll
    static void measure() throws IOException {
        Program program = Program.run(
                "quality",
                "--data",
                DATA,
                "--lengths",
                256,
                "--limit",
                2,
                "--policies",
                "keydiff,random:seed=3,quest:dense-layers=0",
                "--budgets",
                "1,0.3",
                "--out",
                out);
        assertThat(program.err()).isEmpty();
        assertThat(program.exitCode()).isZero();
        table = program.out();
        report = JSON.readTree(Files.readString(out.resolve("quality.json")));
    }

    private static JsonNode measured(String mode, String policy, double budget) {
        for (JsonNode measurement : report.get("measurements")) {
            if (measurement.get("mode").asString().equals(mode)
                    && measurement.get("policy").asString().equals(policy)
                    && measurement.get("budget").asDouble() == budget) {
                return measurement;
            }
        }
        throw new AssertionError(mode + " " + policy + " " + budget + " is missing");
    }

    private static double mean(JsonNode measurement, String what) {
        return measurement.get(what).get("mean").asDouble();
    }

    @ParameterizedTest
    @EnumSource(Mode.class)
    void theExactCacheLosesNothing(Mode mode) {
        JsonNode exact = measured(mode.label(), "exact", 1);
        assertThat(exact.get("right").asInt()).isEqualTo(8);
        assertThat(exact.get("questions").asInt()).isEqualTo(8);
        assertThat(mean(exact, "hit_rate")).isEqualTo(1);
        assertThat(mean(exact, "attention_mass")).isCloseTo(1, within(1e-5));
        assertThat(mean(exact, "tokens_read")).isEqualTo(1);
        assertThat(mean(exact, "tokens_kept")).isEqualTo(1);
        assertThat(mean(exact, "divergence")).isBetween(0.0, 1e-4); // bf16
    }

    @Test
    void aCutOfNothingIsExact() {
        JsonNode all = measured("cut", "keydiff", 1);
        assertThat(mean(all, "hit_rate")).isEqualTo(1);
        assertThat(mean(all, "divergence")).isCloseTo(mean(measured("cut", "exact", 1), "divergence"), within(1e-6));
    }

    @ParameterizedTest
    @EnumSource(Mode.class)
    void whatIsForgottenIsMissing(Mode mode) {
        JsonNode best = measured(mode.label(), "keydiff", 0.3);
        JsonNode any = measured(mode.label(), "random:seed=3", 0.3);
        for (JsonNode forgetful : new JsonNode[] {best, any}) {
            assertThat(mean(forgetful, "hit_rate")).isLessThan(1);
            assertThat(mean(forgetful, "attention_mass")).isBetween(0.2, 0.95);
            assertThat(mean(forgetful, "tokens_kept")).isBetween(0.15, 0.31);
            assertThat(mean(forgetful, "divergence"))
                    .isGreaterThan(mean(measured(mode.label(), "exact", 1), "divergence"));
            assertThat(forgetful.get("kept_bytes").asDouble())
                    .isLessThan(0.5
                            * measured(mode.label(), "exact", 1)
                                    .get("kept_bytes")
                                    .asDouble());
            JsonNode interval = forgetful.get("attention_mass");
            assertThat(interval.get("low").asDouble())
                    .isLessThanOrEqualTo(interval.get("mean").asDouble());
            assertThat(interval.get("high").asDouble())
                    .isGreaterThanOrEqualTo(interval.get("mean").asDouble());
        }
        assertThat(mean(best, "attention_mass")).isGreaterThan(mean(any, "attention_mass"));
    }

    @Test
    void aHeldBudgetShowsInThePeak() {
        assertThat(measured("held", "keydiff", 0.3).get("peak_bytes").asLong())
                .isLessThan(measured("cut", "keydiff", 0.3).get("peak_bytes").asLong());
    }

    @Test
    void whoReadsLessKeepsAll() {
        JsonNode quest = measured("cut", "quest:dense-layers=0", 0.3);
        assertThat(mean(quest, "tokens_kept")).isEqualTo(1);
        assertThat(mean(quest, "tokens_read")).isBetween(0.25, 0.45);
        assertThat(mean(quest, "attention_mass")).isLessThan(1);
    }

    @Test
    void theTableSaysWhatWasMeasured() {
        assertThat(table)
                .contains("pages of 16 tokens")
                .contains("eval-256.jsonl, cut: ")
                .contains("eval-256.jsonl, cut-aware: ")
                .contains("eval-256.jsonl, held: ")
                .contains("8/8")
                .containsPattern("exact +100\\.0%");
        assertThat(table.lines().mapToInt(String::length).max().orElse(0)).isLessThan(150);
        assertThat(report.get("seed").asInt()).isEqualTo(1);
        assertThat(report.get("page_tokens").asInt()).isEqualTo(16);
        assertThat(report.get("machine").get("cores").asInt()).isPositive();
    }

    @ParameterizedTest
    @CsvSource({"recall-cut", "recall-held", "mass-cut-aware", "retained-cut", "retained-held"})
    void picturesAreDrawn(String name) {
        assertThat(out.resolve(name + "-eval-256.png")).isNotEmptyFile();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--policies h2p | --policies 'h2p' is unknown",
                "--policies h2o;;tova | --policies names an empty policy",
                "--policies snapkv:query=3 | --policies snapkv has no option 'query'",
                "--policies quest --modes held | --policies quest is measured in --modes cut alone",
                "--budgets 0.5,0 | --budgets must be above 0 and at most 1, not 0.0",
                "--budgets half | --budgets",
                "--modes cut,later | --modes 'later' is unknown; there are cut, cut-aware, held",
                "--sessions 0 | --sessions must be at least 1",
                "--limit 0 | --limit must be at least 1",
                "--lengths 300 | --data data/recall-moe/eval-300.jsonl: no such file",
                "--data data/recall-moe/eval-256.jsonl --lengths 256 | --lengths picks files of a directory",
                "--data src | --data src: holds no eval-LENGTH.jsonl",
                "--kv-budget 25% | --kv-budget: what a session may keep are the --budgets",
                "--page-tokens 17 | --page-tokens must be a multiple of 16"
            })
    void badInputIsOneLine(String options, String message) {
        String[] given = options.split(" ");
        Stream<String> data = options.contains("--data") ? Stream.of() : Stream.of("--data", DATA);
        Program program = Program.run(Stream.concat(Stream.concat(Stream.of("quality"), data), Stream.of(given))
                .toArray());
        assertThat(program.exitCode()).isEqualTo(2);
        assertThat(program.err()).hasLineCount(1).contains("bench: " + message);
        assertThat(program.out()).isEmpty();
    }
}
