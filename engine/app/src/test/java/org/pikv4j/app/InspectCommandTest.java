package org.pikv4j.app;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class InspectCommandTest {
    @Test
    void theDemoModelAsATable() {
        Program program = Program.run("inspect");
        assertThat(program.code()).isZero();
        assertThat(program.out())
                .contains(
                        "mixtral, 4 layers, hidden 128, vocabulary 925",
                        "4 query heads, 2 KV heads of 64",
                        "8 in 4 of 4 layers, 2 per token",
                        "2.21 million",
                        "8,192 tokens",
                        "2.00 KiB per token",
                        "4.00 KiB per token");
        assertThat(program.err()).isEmpty();
    }

    @Test
    void parametersAreCounted() {
        // Counted by hand: embedding and output 2 · 925 · 128, final norm 128, and in each of 4 layers two norms of
        // 128,
        // attention 128 · 256 · 2 + 128 · 128 · 2, a router of 8 · 128, experts of 3 · 128 · 128.
        long always = 2 * 925 * 128 + 128 + 4 * (2 * 128 + 2 * 128 * 256 + 2 * 128 * 128 + 8 * 128);
        long expert = 3 * 128 * 128;
        JsonNode json =
                JsonMapper.shared().readTree(Program.run("inspect", "--json").out());
        assertThat(json.get("parameters").asLong()).isEqualTo(always + 4 * 8 * expert);
        assertThat(json.get("active_parameters").asLong()).isEqualTo(always + 4 * 2 * expert);
    }

    @Test
    void biasesSharedExpertsAndTiedEmbeddingsCount() {
        JsonNode json = JsonMapper.shared()
                .readTree(Program.run(
                                "inspect",
                                "--model",
                                Program.fixture("qwen2-moe").toString(),
                                "--json")
                        .out());
        // All tensors of the file are bf16, and every one is part of the model.
        assertThat(json.get("parameters").asLong()).isEqualTo(425_088);
    }

    @Test
    void theBudgetSaysWhatFits() {
        Program program = Program.run("inspect", "--kv-budget", "2MiB", "--json");
        JsonNode caches = JsonMapper.shared().readTree(program.out()).get("caches");
        assertThat(caches.get(0).get("kv_dtype").asString()).isEqualTo("bf16");
        assertThat(caches.get(0).get("context_that_fits").asInt()).isEqualTo(1024);
        assertThat(caches.get(1).get("context_that_fits").asInt()).isEqualTo(512);
        assertThat(Program.run("inspect", "--kv-budget", "2MiB").out()).contains("room for 1,024 tokens");
    }
}
