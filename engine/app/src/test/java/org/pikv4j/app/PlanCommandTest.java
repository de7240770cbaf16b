package org.pikv4j.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pikv4j.PiKV;
import org.pikv4j.cache.control.Decisions;
import org.pikv4j.cli.DemoModel;
import org.pikv4j.session.Engine;
import org.pikv4j.session.Session;
import org.pikv4j.shard.ShardOptions;
import org.pikv4j.shard.ShardSpec;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class PlanCommandTest {
    private static final long GIB = 1L << 30;

    @TempDir
    Path temp;

    private static String config(String name) {
        return Program.fixture("../configs").resolve(name + ".json").toString();
    }

    private static JsonNode plan(String... options) {
        List<String> arguments = new ArrayList<>(List.of("plan", "--json"));
        arguments.addAll(List.of(options));
        Program program = Program.run(arguments.toArray(String[]::new));
        assertThat(program.err()).isEmpty();
        assertThat(program.code()).isZero();
        return JsonMapper.shared().readTree(program.out());
    }

    /** From the configuration alone: KV bytes per token and at 128K, and the weights in 16 bits. */
    @ParameterizedTest
    @CsvSource({
        "mixtral-8x7b, true, 131072, 17179869184, 93405585408",
        "qwen3-30b-a3b, true, 98304, 12884901888, 61064245248",
        "olmoe-1b-7b, true, 131072, 17179869184, 13838323712",
        "deepseek-v3, false, 70272, 9210691584, 1342052838400",
        // Twelve layers of 8 KV heads of 64, and three pages for a window of 128 in each head of the other twelve.
        "gpt-oss-20b, false, 24576, 3225944064, 41829514368",
        "llama-3.1-70b, false, 327680, 42949672960, 141107412992",
    })
    void modelsAsPublished(String name, boolean runnable, long perToken, long kv, long weights) {
        JsonNode plan = plan("--model", config(name), "--context", "128K", "--memory", "24GiB");
        assertThat(plan.get("kv_bytes_per_token").asLong()).isEqualTo(perToken);
        assertThat(plan.get("kv_bytes").asLong()).isEqualTo(kv);
        assertThat(plan.get("weights_bytes").asLong()).isEqualTo(weights);
        assertThat(plan.get("total_bytes").asLong())
                .isEqualTo(weights + kv + plan.get("scratch_bytes").asLong());
        assertThat(plan.get("runnable").asBoolean()).isEqualTo(runnable);
        String remarks = plan.get("remarks").toString();
        if (runnable) {
            assertThat(remarks).doesNotContain("cannot run");
        } else {
            assertThat(remarks).contains("the engine cannot run it: ");
        }
    }

    @Test
    void windowsAreAConstant() {
        JsonNode near = plan("--model", config("gpt-oss-20b"), "--context", "64K", "--memory", "80GiB");
        JsonNode far = plan("--model", config("gpt-oss-20b"), "--context", "128K", "--memory", "80GiB");
        assertThat(near.get("kv_window_bytes").asLong()).isEqualTo(12 * 8 * 3 * 64 * 256);
        assertThat(far.get("kv_window_bytes")).isEqualTo(near.get("kv_window_bytes"));
        assertThat(far.get("kv_bytes").asLong() - near.get("kv_bytes").asLong()).isEqualTo((64L << 10) * 24_576);
    }

    @Test
    void quantisedFilesAreNamed() {
        Program program = Program.run("plan", "--model", config("deepseek-v3"), "--memory", "2048GiB");
        assertThat(program.out()).contains("in 16 bits; the files are fp8, about 627 GiB", "68.6 KiB");
        assertThat(plan("--model", config("gpt-oss-20b")).get("quantization").asString())
                .isEqualTo("mxfp4");
    }

    /** What was planned is what the allocator gives out. */
    @ParameterizedTest
    @ValueSource(strings = {"bf16", "f32", "int8", "kivi4,int4", "turbo3", "0-1=bf16;2-=int8,nvfp4", "chunk-pca:8"})
    void plannedIsHeld(String form) {
        int[] lengths = {1, 100, 1000, 2043};
        try (DemoModel demo = new DemoModel();
                Engine engine = PiKV.model(demo.path()).kvDtype(form).open()) {
            for (int length : lengths) {
                try (Session session = engine.openSession()) {
                    session.read(tokens(length));
                    JsonNode plan = plan("--kv-dtype", form, "--context", Integer.toString(length));
                    assertThat(plan.get("kv_bytes").asLong())
                            .as("%s, %s tokens", form, length)
                            .isCloseTo(engine.usage().heldBytes(), Percentage.withPercentage(1));
                }
            }
        }
    }

    /** Wherever pages live, they are the same pages: nothing but what is known of tokens' experts comes to it. */
    @ParameterizedTest
    @ValueSource(strings = {"bf16", "int8"})
    void shardsHoldTheSameBytes(String form) {
        String[] what = {"--kv-dtype", form, "--context", "1500"};
        JsonNode whole = plan(what);
        JsonNode shared = plan(with(what, "--shards", "3", "--placement", "hash"));
        assertThat(shared.get("kv")).isEqualTo(whole.get("kv"));
        assertThat(shared.get("remarks").toString()).contains("3 shards of one machine take the same bytes in all");
        assertThat(whole.get("routing_bytes").asLong()).isZero();
        // Two bytes for each of four layers.
        assertThat(shared.get("routing_bytes").asLong()).isEqualTo(1500 * 4 * 2);
        assertThat(shared.get("total_bytes").asLong())
                .isEqualTo(whole.get("total_bytes").asLong() + 1500 * 4 * 2);
        try (DemoModel demo = new DemoModel();
                Engine engine = PiKV.model(demo.path())
                        .kvDtype(form)
                        .shards(ShardOptions.equal(3, ShardOptions.placement("hash")))
                        .open();
                Session session = engine.openSession()) {
            session.read(tokens(1500));
            assertThat(engine.shards().stream()
                            .mapToLong(shard -> shard.heldBytes())
                            .sum())
                    .isPositive();
            assertThat(shared.get("kv_bytes").asLong())
                    .isCloseTo(engine.usage().heldBytes(), Percentage.withPercentage(1));
        }
    }

    /** What shards hold is what was planned for them: 23 full pages, of 4 layers and 2 KV heads, by capacity times speed. */
    @ParameterizedTest
    @CsvSource({"bf16, 23", "int8, 18"})
    void eachShardHasItsShare(String form, int full) {
        String[] what = {
            "--kv-dtype",
            form,
            "--context",
            "1500",
            "--shards",
            "3",
            "--shard-capacity",
            "2,1,1",
            "--shard-speed",
            "1,1,0.5",
            "--placement",
            "round-robin"
        };
        JsonNode shards = plan(what).get("shards");
        List<ShardSpec> specs = List.of(new ShardSpec(2, 1), new ShardSpec(1, 1), new ShardSpec(1, 0.5));
        try (DemoModel demo = new DemoModel();
                Engine engine = PiKV.model(demo.path())
                        .kvDtype(form)
                        .shards(specs, "round-robin")
                        .open();
                Session session = engine.openSession()) {
            session.read(tokens(1500));
            long pages = 0;
            for (int shard = 0; shard < 3; shard++) {
                JsonNode planned = shards.get(shard);
                assertThat(planned.get("share").asDouble())
                        .isEqualTo(specs.get(shard).weight() / 3.5);
                assertThat(planned.get("kv_bytes").asLong())
                        .isCloseTo(engine.shards().get(shard).heldBytes(), Percentage.withPercentage(4));
                pages += planned.get("kv_pages").asLong();
            }
            assertThat(pages).isEqualTo(full * 8);
        }
        assertThat(Program.run(with(new String[] {"plan"}, what)).out())
                .containsPattern("shard 0 +.*iB of KV in \\d+ pages, 57% of a device.s full ones\\n")
                .containsPattern("shard 2 +.*iB of KV in \\d+ pages, 14% of a device.s full ones\\n");
        assertThat(Program.run("plan", "--context", "1500", "--shards", "9").out())
                .containsPattern("fullest shard +.*.* in 20 pages, 11%")
                .doesNotContain("shard 0");
        assertThat(Program.run("plan", "--context", "1500", "--shards", "1").out())
                .contains("over 1 shard of one machine");
    }

    /** Two budgets: one that holds all pages as they are, and one under which they get smaller, but no token is forgotten. */
    @Test
    void oneBudgetIsPlanned() {
        String[] large = {"--kv", "auto", "--kv-budget", "64MiB", "--page-tokens", "16", "--context", "2000"};
        JsonNode asItIs = plan(large);
        assertThat(asItIs.get("kv_dtype").asString()).isEqualTo("auto");
        assertThat(asItIs.get("fits").asBoolean()).isTrue();
        assertThat(asItIs.get("kv_bytes")).isEqualTo(asItIs.get("auto").get("exact_bytes"));
        assertThat(Program.run(with(new String[] {"plan"}, large)).out()).contains("nothing gets smaller");
        String[] small = {"--kv", "auto", "--kv-budget", "512KiB", "--page-tokens", "16"};
        JsonNode plan = plan(with(small, "--context", "600"));
        assertThat(plan.get("fits").asBoolean()).isTrue();
        assertThat(plan.get("kv_bytes").asLong()).isEqualTo(512 << 10);
        int most = plan.get("max_context").asInt();
        assertThat(dropped(most)).isZero();
        assertThat(dropped(most * 4 / 3)).isPositive();
        JsonNode over = plan(with(small, "--context", "" + (most + 1)));
        assertThat(over.get("fits").asBoolean()).isFalse();
        String suggestions = over.get("suggestions").toString();
        assertThat(suggestions)
                .contains("--kv-budget 1MiB", "--context " + most, "no token forgotten")
                .doesNotContain("--kv-dtype", "--devices");
        assertThat(Program.run(with(with(new String[] {"plan"}, small), "--context", "" + (most + 1)))
                        .out())
                .contains(
                        ": tokens are forgotten, too",
                        "not without forgetting tokens: all of them take more than the budget");
        Program latents = Program.run("plan", "--model", config("deepseek-v3"), "--kv", "auto", "--kv-budget", "1GiB");
        assertThat(latents.code()).isEqualTo(2);
        assertThat(latents.err()).contains("kv auto is not planned for latents");
    }

    /** How many tokens an engine forgets under a budget of 512 KiB. */
    private static long dropped(int tokens) {
        try (DemoModel demo = new DemoModel();
                Engine engine = PiKV.model(demo.path())
                        .kvAuto()
                        .kvBudget("512KiB")
                        .pageTokens(16)
                        .open();
                Session session = engine.openSession()) {
            session.read(tokens(tokens));
            return engine.decisions().orElseThrow().kinds().stream()
                    .mapToLong(Decisions.Sum::dropped)
                    .sum();
        }
    }

    /** 15 full pages of 64 tokens; 4 layers of 2 KV heads of 64; 8 expert shards, and 4 numbers of 8 bytes of each. */
    @Test
    void routesTakeHeap() {
        long experts = 1000 * 4 * 2;
        long shards = 4 * 2 * 8 * 4 * 8;
        long sideBySide = 16 * (64 * 4 + 4 + 8); // with the page that is being filled
        long means = 4 * 2 * (15 * 64 * 4 + sideBySide);
        assertThat(routing("topk")).isEqualTo(experts + shards);
        assertThat(routing("topk:shards=4")).isEqualTo(experts + shards / 2);
        assertThat(routing("query-centroid")).isEqualTo(experts + shards + means);
        JsonNode two = plan("--route", "query-centroid", "--context", "1000", "--batch", "2");
        assertThat(two.get("routing_bytes").asLong()).isEqualTo(2 * (experts + shards + means));
        assertThat(two.get("device").get("total_bytes")).isEqualTo(two.get("total_bytes"));
        assertThat(Program.run("plan", "--route", "query-centroid", "--context", "1000")
                        .out())
                .containsPattern("routing +73\\.3 KiB on the heap");
    }

    private static long routing(String route) {
        return plan("--route", route, "--context", "1000").get("routing_bytes").asLong();
    }

    /** What the memory holds and the model has not got is said where the answer stands. */
    @Test
    void aContextThatTheModelHasNotGotIsNoPlainYes() {
        assertThat(Program.run("plan", "--context", "100K", "--memory", "64GiB").out())
                .containsPattern("fits +the memory, but not the model, which has [\\d,]+ positions\n");
    }

    /** Under one budget shards hold what it allows. */
    @Test
    void shardsOfOneBudgetAreNoLargerThanIt() {
        JsonNode plan = plan(
                "--kv", "auto", "--kv-budget", "1MiB", "--context", "1900", "--page-tokens", "16", "--shards", "2");
        long sum = 0;
        for (JsonNode shard : plan.get("shards")) {
            sum += shard.get("kv_bytes").asLong();
        }
        assertThat(sum).isPositive().isLessThanOrEqualTo(plan.get("kv_bytes").asLong());
    }

    /** As many heads as a file may have, in two forms, are counted in the time of few. */
    @Test
    void manyHeadsAreCountedAsOne() throws Exception {
        Path file = Files.writeString(temp.resolve("wide.json"), """
                {"model_type": "wide", "hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 1024,
                 "num_attention_heads": 1024, "num_key_value_heads": 1024, "head_dim": 64, "vocab_size": 100,
                 "max_position_embeddings": 4096}
                """);
        String[] what = {"--model", file.toString(), "--memory", "1GiB"};
        assertThat(plan(what).get("kv_bytes_per_token").asLong()).isEqualTo(1024L * 1024 * 256);
        assertThat(plan(with(what, "--kv-dtype", "0-511=bf16;512-=int8"))
                        .get("kv_bytes_per_token")
                        .asLong())
                .isBetween(1024L * 1024 * 192, 1024L * 1024 * 200);
    }

    /** Under a budget the plan is the most that is ever held. */
    @ParameterizedTest
    @CsvSource({"bf16, 512tok", "bf16, 25%", "int8, 1024tok", "int8, 50%"})
    void aBudgetIsPlannedAtItsMost(String form, String budget) {
        try (DemoModel demo = new DemoModel();
                Engine engine = PiKV.model(demo.path())
                        .kvDtype(form)
                        .kvBudget(budget)
                        .kvPolicy("keydiff")
                        .open();
                Session session = engine.openSession()) {
            session.read(tokens(4000));
            long planned = plan(
                            "--kv-dtype", form, "--kv-budget", budget, "--kv-policy", "keydiff", "--context", "4000")
                    .get("kv_bytes")
                    .asLong();
            assertThat(engine.usage().peakHeldBytes()).isBetween(planned * 90 / 100, planned);
        }
    }

    private static int[] tokens(int count) {
        return new Random(5).ints(count, 5, 900).toArray();
    }

    @Test
    void partsAddUp() {
        JsonNode plan = plan("--kv-dtype", "int8", "--context", "5000", "--batch", "3");
        long sum = 0;
        for (JsonNode part : plan.get("kv")) {
            sum += part.asLong();
        }
        assertThat(sum).isEqualTo(plan.get("kv_bytes").asLong());
        assertThat(plan.get("kv").get("scale_bytes").asLong()).isPositive();
        assertThat(plan.get("kv").get("open_bytes").asLong()).isPositive();
        assertThat(plan.get("kv").get("tail_bytes").asLong()).isPositive();
    }

    @Test
    void theMostThatFitsFitsAndNoMore() {
        String[] where = {"--model", config("qwen3-30b-a3b"), "--memory", "64GiB"};
        JsonNode plan = plan(with(where, "--context", "32K", "--batch", "2"));
        int context = plan.get("max_context").asInt();
        int batch = plan.get("max_batch").asInt();
        assertThat(plan(with(where, "--batch", "2", "--context", "" + context))
                        .get("fits")
                        .asBoolean())
                .isTrue();
        assertThat(plan(with(where, "--batch", "2", "--context", "" + (context + 1)))
                        .get("fits")
                        .asBoolean())
                .isFalse();
        assertThat(plan(with(where, "--context", "32K", "--batch", "" + batch))
                        .get("fits")
                        .asBoolean())
                .isTrue();
        assertThat(plan(with(where, "--context", "32K", "--batch", "" + (batch + 1)))
                        .get("fits")
                        .asBoolean())
                .isFalse();
    }

    @Test
    void noContextIsPromisedThatTheModelHasNot() {
        String[] what = {"--model", config("mixtral-8x7b"), "--context", "8K", "--memory", "1TiB"};
        assertThat(plan(what).get("max_context").asInt()).isEqualTo(32_768);
        assertThat(Program.run(with(new String[] {"plan"}, what)).out())
                .contains("at most       32,768 tokens, all that the model has, with this batch, ");
    }

    /** Every suggestion that changes options is itself a plan that fits. */
    @ParameterizedTest
    @CsvSource({
        "mixtral-8x7b, 128K, 1, 100GiB",
        "qwen3-30b-a3b, 32K, 8, 64GiB",
        "deepseek-v3, 128K, 8, 1300GiB",
        "gpt-oss-20b, 128K, 8, 24GiB"
    })
    void suggestionsFit(String name, String context, String batch, String memory) {
        String[] asked = {"--model", config(name), "--context", context, "--batch", batch, "--memory", memory};
        JsonNode plan = plan(asked);
        assertThat(plan.get("fits").asBoolean()).isFalse();
        assertThat(plan.get("suggestions")).isNotEmpty();
        for (JsonNode suggestion : plan.get("suggestions")) {
            String options = suggestion.get("options").asString();
            JsonNode changed = plan(replaced(asked, options.split(" ")));
            assertThat(changed.get("fits").asBoolean()).as(options).isTrue();
            assertThat(changed.get("device").get("total_bytes")).isEqualTo(suggestion.get("device_bytes"));
        }
    }

    private static String[] replaced(String[] asked, String[] by) {
        List<String> options = new ArrayList<>(List.of(asked));
        for (int i = 0; i < by.length; i += 2) {
            int at = options.indexOf(by[i]);
            if (at >= 0) {
                options.subList(at, at + 2).clear();
            }
        }
        options.addAll(List.of(by));
        return options.toArray(String[]::new);
    }

    private static String[] with(String[] some, String... more) {
        List<String> all = new ArrayList<>(List.of(some));
        all.addAll(List.of(more));
        return all.toArray(String[]::new);
    }

    @Test
    void whereTheFullCacheFitsNothingNeedBeCompressed() {
        String[] where = {"--model", config("mixtral-8x7b"), "--context", "32K", "--memory", "128GiB"};
        assertThat(Program.run(with(new String[] {"plan"}, where)).out()).contains("no compression is needed");
        assertThat(plan(with(where, "--kv-dtype", "int8"))
                        .get("full_cache_fits")
                        .asBoolean())
                .isTrue();
        assertThat(plan(with(where, "--batch", "12")).get("full_cache_fits").asBoolean())
                .isFalse();
    }

    @Test
    void devicesShareOutExpertsAndPages() {
        String[] what = {"--model", config("mixtral-8x7b"), "--context", "128K", "--batch", "8"};
        JsonNode one = plan(what).get("device");
        JsonNode four = plan(with(what, "--devices", "4")).get("device");
        assertThat(four.get("experts_bytes").asLong())
                .isEqualTo(one.get("experts_bytes").asLong() / 4);
        assertThat(four.get("kv_bytes").asLong()).isEqualTo(one.get("kv_bytes").asLong() / 4);
        assertThat(four.get("shared_weights_bytes")).isEqualTo(one.get("shared_weights_bytes"));
    }

    /** M = (2d/ρ)(L/(G·S) + K·S) by hand: 2d is 65,536 numbers of 2 bytes, L = 131,072, G = 4, K = 2. */
    @Test
    void thePapersModelStandsBeside() {
        JsonNode paper = plan("--model", config("mixtral-8x7b"), "--context", "128K", "--devices", "4")
                .get("paper");
        assertThat(paper.get("rho").asDouble()).isEqualTo(1);
        assertThat(paper.get("best_ring").asDouble()).isCloseTo(128, within(1e-9));
        assertThat(paper.get("least_memory_bytes").asDouble()).isCloseTo(131_072.0 * 2 * 256, within(1e-3));
        assertThat(paper.get("ring").asLong()).isEqualTo(32_768);
        assertThat(paper.get("memory_bytes").asDouble()).isCloseTo(131_072.0 * (1 + 2 * 32_768), within(1e-3));
    }

    @Test
    void timeIsPredictedOnlyWhereABandwidthIsGiven() {
        assertThat(plan().has("step")).isFalse();
        JsonNode step = plan("--context", "1K", "--bandwidth", "10GB/s", "--fixed-ms", "1")
                .get("step");
        double bytes = step.get("bytes").asDouble();
        // Two of eight experts, everything else but the embedding, and a cache of 1,024 tokens.
        assertThat(bytes).isEqualTo(2 * (1_028_480 - 925 * 128) + 1024 * 2048);
        assertThat(step.get("seconds").asDouble()).isCloseTo(bytes / 1e10 + 0.001, within(1e-9));
    }

    /** Weights at the bandwidth; the cache of four layers by the model that was fitted. */
    @Test
    void timeFollowsWhatWasMeasured() throws Exception {
        Path file = Files.writeString(temp.resolve("compression.json"), """
                {"read_bandwidth": 2e10, "latency": {"bandwidth": 4e10, "decode_rate": 1e9, "fixed_seconds": 1e-5}}
                """);
        JsonNode step = plan("--context", "1K", "--batch", "3", "--latency", file.toString(), "--fixed-ms", "1")
                .get("step");
        double kv = 3 * 1024 * 2048;
        double weights = step.get("bytes").asDouble() - kv;
        assertThat(step.get("seconds").asDouble())
                .isCloseTo(weights / 2e10 + kv / 4e10 + kv / 2 / 1e9 + 4 * 3 * 1e-5 + 0.001, within(1e-9));
        Files.writeString(file, """
                {"read_bandwidth": 2e10, "latency": {"bandwidth": 4e10, "decode_rate": "Infinity", "fixed_seconds": 0}}
                """);
        step = plan("--context", "1K", "--latency", file.toString()).get("step");
        weights = step.get("bytes").asDouble() - kv / 3;
        assertThat(step.get("seconds").asDouble()).isCloseTo(weights / 2e10 + kv / 3 / 4e10, within(1e-9));
    }

    @Test
    void nothingButTheConfigurationIsRead() throws Exception {
        Files.copy(Path.of(config("mixtral-8x7b")), temp.resolve("config.json"));
        assertThat(plan("--model", temp.toString(), "--memory", "24GiB")
                        .get("weights_bytes")
                        .asLong())
                .isEqualTo(93_405_585_408L);
        assertThat(GIB * 16)
                .isEqualTo(plan("--model", temp.toString(), "--context", "131072")
                        .get("kv_bytes")
                        .asLong());
    }
}
