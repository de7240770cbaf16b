package org.pikv4j.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pikv4j.cli.Cli;
import picocli.CommandLine;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class RunCommandTest {
    private static final String NOTES = "Notes: Ada likes mango. The knife is in the garage.\n";
    private static final String PROMPT = NOTES + "Question: Where is the knife? Answer:";
    private static final String ANSWER = " The knife is in the garage.";

    @ParameterizedTest
    @ValueSource(strings = {"vector", "scalar"})
    void theDemoModelAnswersTheReadmesQuestion(String backend) {
        Program program = Program.run("run", "--prompt-file", "demo/document.txt", "--backend", backend);
        assertThat(program.out()).isEqualTo(" The knife is in the chapel.\n");
        assertThat(program.err().lines()).hasSize(1);
        assertThat(program.err())
                .contains("first token", "prompt 2,0", "decode 8 tokens", "p50", "p99", "per token", backend);
        assertThat(program.code()).isZero();
    }

    @Test
    void theReadmesRouteFindsTheAnswer() {
        Program program = Program.run("run", "--route", "query-centroid:k=2", "--prompt-file", "demo/document.txt");
        assertThat(program.out()).isEqualTo(" The knife is in the chapel.\n");
        assertThat(program.err()).containsPattern("routed queries read 6\\d% of");
    }

    @Test
    void oneBudgetIsExplained() {
        String[] command = {
            "run",
            "--prompt-file",
            "demo/document.txt",
            "--kv",
            "auto",
            "--kv-budget",
            "1MiB",
            "--page-tokens",
            "16",
            "--explain"
        };
        Program program = Program.run(command);
        assertThat(program.code()).isZero();
        assertThat(program.out()).isEqualTo(" The knife is in the chapel.\n");
        assertThat(program.err())
                .containsPattern("kv auto: \\d+\\.?\\d* MiB freed")
                .contains("bf16 -> int8", "kept, by layer.head:", "decisions, the oldest first")
                .containsPattern("0\\.0 tokens \\d+-\\d+: \\w+ -> .*freed, error .*: the budget is reached");
        String[] asJson = Arrays.copyOf(command, command.length + 1);
        asJson[command.length] = "--json";
        JsonNode json = JsonMapper.shared().readTree(Program.run(asJson).out());
        assertThat(json.get("text").asString()).isEqualTo(" The knife is in the chapel.");
        JsonNode explanation = json.get("explanation");
        long sums = 0;
        for (JsonNode kind : explanation.get("decisions").get("kinds")) {
            sums += kind.get("bytes").asLong();
        }
        long freed = 0;
        for (JsonNode decision : explanation.get("decisions").get("latest")) {
            freed += decision.get("bytes").asLong();
            assertThat(decision.get("reason").asString()).isNotEmpty();
        }
        assertThat(freed).isPositive().isEqualTo(sums);
        long kept = 0;
        for (JsonNode pages : explanation.get("kept")) {
            kept += pages.get("bytes").asLong();
        }
        assertThat(kept).isEqualTo(json.get("kv_bytes").asLong()).isLessThanOrEqualTo(1 << 20);
    }

    @Test
    void anExplanationMayBeShort() {
        Program program = Program.run(
                ("run --prompt-file demo/document.txt --kv auto --kv-budget 1MiB --page-tokens 16 --explain=short")
                        .split(" "));
        assertThat(program.err())
                .contains("bf16 -> int8", "kept, by layer.head:")
                .doesNotContain("decisions, the oldest first");
        assertThat(Program.run("run", "--prompt", PROMPT, "--kv", "auto", "--explain=much")
                        .code())
                .isEqualTo(2);
    }

    @Test
    void oneBudgetSpansShardsAndRoutes() {
        Program program = Program.run(
                ("run --prompt-file demo/document.txt --kv auto --kv-budget 1MiB --page-tokens 16 --shards 3"
                                + " --rebalance 1.01 --rebalance-every 64 --route query-centroid:k=6 --explain")
                        .split(" "));
        assertThat(program.code()).isZero();
        assertThat(program.out()).isEqualTo(" The knife is in the chapel.\n");
        assertThat(program.err())
                .contains("moved to another shard", "pages were placed anew")
                .containsPattern("0\\.0 \\S+ +\\d+ pages?, .* on shard [012]: ")
                .containsPattern("tokens \\d+-\\d+: moved from shard [012] to shard [012]");
    }

    @Test
    void whatFitsIsExplainedInALine() {
        Program program = Program.run("run", "--prompt", PROMPT, "--kv", "auto", "--kv-budget", "8MiB", "--explain");
        assertThat(program.out()).isEqualTo(ANSWER + "\n");
        assertThat(program.err())
                .contains("kv auto: all of it fits, nothing was decided")
                .doesNotContain("decisions, the");
    }

    @Test
    void whatTheBudgetHasNoRoomForIsReadFromDisk() {
        Program program = Program.run(
                "run", "--prompt-file", "demo/document.txt", "--kv-budget", "256tok", "--kv-policy", "flexgen");
        assertThat(program.out()).isEqualTo(" The knife is in the chapel.\n");
        // 33 pages of 64 tokens, for 4 layers of 2 KV heads; 4 of each in memory at most, 3 at least.
        assertThat(program.err()).containsPattern("KV (384|512) KiB, \\d+ B per token, and 3\\.\\d\\d MiB on disk");
    }

    @Test
    void shardsMayDifferAndBePlacedAnew() {
        String options = "run --prompt-file demo/document.txt --json --shards 3 --shard-capacity 2,1,1"
                + " --shard-speed 1,1,0.5 --rebalance 1.01 --rebalance-every 64 --no-overlap";
        JsonNode json =
                JsonMapper.shared().readTree(Program.run(options.split(" ")).out());
        assertThat(json.get("text").asString()).isEqualTo(" The knife is in the chapel.");
        double[] weights = {2, 1, 0.5};
        JsonNode shards = json.get("shards");
        long capacity = shards.get(1).get("capacity_bytes").asLong();
        for (int shard = 0; shard < 3; shard++) {
            assertThat(shards.get(shard).get("share").asDouble()).isEqualTo(weights[shard] / 3.5);
            assertThat(shards.get(shard).get("capacity_bytes").asLong())
                    .isBetween((shard == 0 ? 2 : 1) * capacity, (shard == 0 ? 2 : 1) * capacity + 1);
            assertThat(shards.get(shard).get("read_bytes").asLong()).isPositive();
        }
        assertThat(json.get("sharding").get("overlap").asBoolean()).isFalse();
        assertThat(json.get("sharding").get("rebalances").asInt()).isPositive();
        assertThat(json.get("sharding").get("moves").get("bytes").asLong()).isPositive();
        assertThat(json.get("sharding").get("wait_seconds").asDouble()).isPositive();
        assertThat(Program.run("run", "--prompt", PROMPT, "--shards", "2", "--page-tokens", "16")
                        .err())
                .contains(
                        " | 2 shards, ",
                        " | shard 1: ",
                        " held ",
                        " of 50%, read ",
                        " | waited ",
                        " of attention here");
    }

    @Test
    void promptsComeFromStdinToo() {
        assertThat(Program.runWithInput(PROMPT, "run", "--prompt-file", "-").out())
                .isEqualTo(ANSWER + "\n");
    }

    @Test
    void jsonHoldsTextAndMeasurements() {
        Program program = Program.run("run", "--prompt", PROMPT, "--json", "--seed", "7", "--page-tokens", "16");
        assertThat(program.code()).isZero();
        assertThat(program.out().lines()).hasSize(1);
        assertThat(program.err()).isEmpty();
        JsonNode json = JsonMapper.shared().readTree(program.out());
        assertThat(json.get("text").asString()).isEqualTo(ANSWER);
        assertThat(json.has("shards") || json.has("sharding") || json.has("routing"))
                .isFalse();
        assertThat(json.get("tokens").asInt()).isEqualTo(8);
        assertThat(json.get("prompt_tokens").asInt()).isEqualTo(24);
        assertThat(json.get("seed").asInt()).isEqualTo(7);
        assertThat(json.get("finish_reason").asString()).isEqualTo("stop_string");
        assertThat(json.get("backend").asString()).isEqualTo("vector");
        // 31 tokens are cached, the last one generated is not: two pages of 16 in bf16.
        assertThat(json.get("kv_bytes").asLong()).isEqualTo(2 * 16 * 2048);
        assertThat(json.get("kv_bytes_per_token").asDouble()).isEqualTo(2 * 16 * 2048 / 31.0);
        for (String time : List.of(
                "time_to_first_token_s",
                "prefill_tokens_per_s",
                "decode_tokens_per_s",
                "decode_p50_s",
                "decode_p99_s")) {
            assertThat(json.get(time).asDouble()).as(time).isPositive();
        }
    }

    @Test
    void aSeedThatNobodyChoseIsANumberInEveryLanguage() {
        for (int i = 0; i < 3; i++) {
            Program program = Program.run("run", "--prompt", PROMPT, "--json", "--max-tokens", "1");
            JsonNode json = JsonMapper.shared().readTree(program.out());
            assertThat(json.get("seed").asLong()).isBetween(0L, (1L << 53) - 1);
        }
    }

    @Test
    void f32TakesTwiceTheBytes() {
        Program program = Program.run("run", "--prompt", PROMPT, "--json", "--kv-dtype", "f32");
        JsonNode json = JsonMapper.shared().readTree(program.out());
        assertThat(json.get("kv_bytes").asLong()).isEqualTo(64 * 4096);
    }

    @Test
    void stopStringsMayHoldEscapesAndSeveralAreObeyed() {
        Program one = Program.run("run", "--prompt", PROMPT, "--stop", "garage");
        assertThat(one.out()).isEqualTo(" The knife is in the \n");
        Program several =
                Program.run("run", "--prompt", PROMPT, "--stop", "never", "--stop", "\\n", "--max-tokens", "30");
        assertThat(several.out()).isEqualTo(ANSWER + "\n");
    }

    @Test
    void aSeedRepeatsItself() {
        String[] args = {"run", "--prompt", NOTES, "--temperature", "1.5", "--seed", "-3", "--stop", "never"};
        Program first = Program.run(args);
        assertThat(first.code()).isZero();
        assertThat(Program.run(args).out()).isEqualTo(first.out());
    }

    @Test
    void aPromptMayStartWithAnAtSign() {
        assertThat(Program.run("run", "--prompt", "@demo/document.txt", "--max-tokens", "1")
                        .code())
                .isZero();
    }

    @Test
    void textIsOnItsWayBeforeTheEnd() {
        List<String> flushed = new ArrayList<>();
        StringWriter out = new StringWriter() {
            @Override
            public void flush() {
                flushed.add(toString());
            }
        };
        CommandLine commandLine = Cli.commandLine(new Main());
        commandLine.setOut(new PrintWriter(out));
        commandLine.setErr(new PrintWriter(new StringWriter()));
        assertThat(commandLine.execute("run", "--prompt", PROMPT)).isZero();
        assertThat(flushed).contains(" The", " The knife", " The knife is", ANSWER + "\n");
    }

    @Test
    void theDemoModelLeavesNothingBehind() throws IOException {
        List<Path> before = demoDirectories();
        Program.run("run", "--prompt", PROMPT);
        Program.run("run", "--prompt", PROMPT, "--kv-budget", "1");
        assertThat(demoDirectories()).isEqualTo(before);
    }

    private static List<Path> demoDirectories() throws IOException {
        try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
            return files.filter(file -> file.getFileName().toString().startsWith("pikv4j-demo-"))
                    .sorted()
                    .toList();
        }
    }
}
