package org.pikv4j.loader;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pikv4j.error.ModelFormatException;
import org.pikv4j.loader.config.ShapeReader;
import org.pikv4j.model.LoadedModel;
import org.pikv4j.model.ParameterCount;
import org.pikv4j.plan.KvShape;
import org.pikv4j.plan.ModelShape;

/** Models as they are published, from their configuration alone. */
class ShapeTest {
    private static final Path CONFIGS = Fixtures.checkpoint("mixtral").resolve("../../configs");

    @TempDir
    Path temp;

    private static ModelShape shape(String name) {
        return ShapeReader.read(CONFIGS.resolve(name + ".json"));
    }

    /**
     * Parameters are those of the published tensors, biases included; the numbers kept of a token are 2 · layers · KV heads ·
     * head dim, or layers · (latent + rope).
     */
    @ParameterizedTest
    @CsvSource({
        "mixtral-8x7b, 46702792704, 12879925248, 65536",
        "qwen3-30b-a3b, 30532122624, 3353032704, 49152",
        "olmoe-1b-7b, 6919161856, 1282017280, 65536",
        "deepseek-v3, 671026419200, 37552297472, 35136",
        "gpt-oss-20b, 20914757184, 4187440704, 24576",
        "llama-3.1-70b, 70553706496, 70553706496, 163840",
    })
    void parametersAndRows(String name, long total, long active, long elements) {
        ModelShape shape = shape(name);
        assertThat(shape.parameters()).isEqualTo(new ParameterCount(total, active));
        assertThat(shape.growingElements(1)).isEqualTo(elements);
        assertThat(shape.elementBytes()).isEqualTo(2);
    }

    @Test
    void whatCannotBeRunIsSaid() {
        assertThat(shape("mixtral-8x7b").obstacle()).isEmpty();
        assertThat(shape("qwen3-30b-a3b").obstacle()).isEmpty();
        assertThat(shape("olmoe-1b-7b").obstacle()).isEmpty();
        assertThat(shape("deepseek-v3").obstacle())
                .hasValueSatisfying(
                        why -> assertThat(why).startsWith("model_type is deepseek_v3, which is not supported"));
        assertThat(shape("deepseek-v3").remarks()).anyMatch(line -> line.contains("num_nextn_predict_layers"));
        assertThat(shape("llama-3.1-70b").obstacle())
                .hasValueSatisfying(why -> assertThat(why).contains("llama3"));
    }

    @Test
    void quantisedWeights() {
        ModelShape deepseek = shape("deepseek-v3");
        assertThat(deepseek.quantization()).hasValueSatisfying(how -> {
            assertThat(how.method()).isEqualTo("fp8");
            assertThat(how.storedBytes().orElseThrow()).isEqualTo(671_026_419_200L + 2L * 129_280 * 7168);
        });
        // The published files take 13.76 GB.
        assertThat(shape("gpt-oss-20b").quantization()).hasValueSatisfying(how -> {
            assertThat(how.method()).isEqualTo("mxfp4");
            assertThat(how.storedBytes().orElseThrow()).isBetween(13_700_000_000L, 13_800_000_000L);
        });
        assertThat(shape("mixtral-8x7b").quantization()).isEmpty();
    }

    @Test
    void layersOfGptOssSeeAWindowInTurn() {
        ModelShape shape = shape("gpt-oss-20b");
        assertThat(shape.layers().get(0).kv().window()).isEqualTo(128);
        assertThat(shape.layers().get(1).kv().window()).isEqualTo(Integer.MAX_VALUE);
        assertThat(shape.growingElements(4096)).isEqualTo(12_288);
    }

    @Test
    void deepseekKeepsALatentAndBeginsDense() {
        ModelShape shape = shape("deepseek-v3");
        assertThat(shape.layers()).allMatch(layer -> layer.kv().equals(new KvShape.Latent(512, 64)));
        assertThat(shape.layers().get(2).experts()).isZero();
        assertThat(shape.layers().get(3).experts()).isEqualTo(256);
    }

    /** The same count that loading arrives at, tensor by tensor. */
    @ParameterizedTest
    @ValueSource(strings = {"llama", "mixtral", "mixtral-swa", "olmoe", "qwen2-moe", "qwen3-moe"})
    void agreesWithTheTensors(String fixture) {
        Path directory = Fixtures.checkpoint(fixture);
        try (LoadedModel model = new HuggingFaceLoader().load(directory, share -> {})) {
            ModelShape shape = ShapeReader.read(directory);
            assertThat(shape.parameters()).isEqualTo(ParameterCount.of(model.config(), model.weights()));
            assertThat(shape.layers().stream().map(layer -> layer.kv()).toList())
                    .isEqualTo(model.config().layers().stream()
                            .map(layer -> (KvShape) new KvShape.Heads(layer.attention()))
                            .toList());
            assertThat(shape.obstacle()).isEmpty();
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            deepseek-v3 | "kv_lora_rank": 512 | "kv_lora_rank": 2147483647 | kv_lora_rank is absurd
            deepseek-v3 | "qk_rope_head_dim": 64, | | qk_rope_head_dim is missing
            deepseek-v3 | "kv_lora_rank": 512 | "kv_lora_rank": null | kv_lora_rank is missing
            deepseek-v3 | "moe_layer_freq": 1 | "moe_layer_freq": [0, 1] | moe_layer_freq has 2 entries for 61 layers
            deepseek-v3 | "num_hidden_layers": 61 | "num_hidden_layers": 2147483647 | more than the 10000
            deepseek-v3 | "num_experts_per_tok": 8 | "num_experts_per_tok": 800 | only 256 experts
            deepseek-v3 | "n_routed_experts": 256 | "n_routed_experts": 65537 | n_routed_experts is 65537
            gpt-oss-20b | "num_hidden_layers": 24 | "num_hidden_layers": 23 | layer_types has 24 entries for 23 layers
            gpt-oss-20b | "head_dim": 64 | "head_dim": 65600 | head_dim is absurd
            gpt-oss-20b | "num_key_value_heads": 8 | "num_key_value_heads": 7 | num_attention_heads is 64
            gpt-oss-20b | "vocab_size": 201088 | "vocab_size": "many" | vocab_size is "many"
            """)
    void absurdNumbersAreNamed(String name, String before, String after, String message) throws IOException {
        String text = Files.readString(CONFIGS.resolve(name + ".json"));
        Path file = temp.resolve("config.json");
        Files.writeString(file, text.replace(before, after == null ? "" : after));
        assertThatThrownBy(() -> ShapeReader.read(file))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining(message);
    }

    @Test
    void numbersBeyondCountingAreRefused() throws IOException {
        String text = Files.readString(CONFIGS.resolve("deepseek-v3.json"));
        Path file = temp.resolve("config.json");
        for (String field : new String[] {"hidden_size", "moe_intermediate_size"}) {
            text = text.replaceFirst("\"" + field + "\": \\d+", "\"" + field + "\": 2147483647");
        }
        Files.writeString(file, text);
        assertThatThrownBy(() -> ShapeReader.read(file))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("more parameters than can be counted");
    }

    @Test
    void anUnknownFamilyIsTakenAtItsWord() throws IOException {
        String text = Files.readString(CONFIGS.resolve("qwen3-30b-a3b.json")).replace("qwen3_moe", "unheard_of");
        Files.writeString(temp.resolve("config.json"), text);
        ModelShape shape = ShapeReader.read(temp);
        assertThat(shape.growingElements(1)).isEqualTo(49_152);
        assertThat(shape.remarks()).anyMatch(line -> line.contains("unheard_of is not known"));
    }

    /** Two heads of 8, one KV head, four layers; what a test adds may say it anew. */
    private ModelShape small(String type, String more) throws IOException {
        String usual = Stream.of(
                        "\"hidden_size\": 16",
                        "\"intermediate_size\": 32",
                        "\"num_hidden_layers\": 4",
                        "\"num_attention_heads\": 2",
                        "\"num_key_value_heads\": 1",
                        "\"vocab_size\": 100",
                        "\"max_position_embeddings\": 4096")
                .filter(field -> !more.contains(field.substring(0, field.indexOf(':'))))
                .collect(Collectors.joining(", "));
        Path file = temp.resolve("small.json");
        Files.writeString(file, "{\"model_type\": \"%s\", %s, %s}".formatted(type, usual, more));
        return ShapeReader.read(file);
    }

    /** Which layers slide, as the type's own code has it; f for one that sees everything. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            qwen2 | "sliding_window": 64, "use_sliding_window": true, "max_window_layers": 4 | f f f f
            qwen2 | "sliding_window": 64, "use_sliding_window": true, "max_window_layers": 2 | f f 64 64
            qwen2 | "sliding_window": 64, "use_sliding_window": true | f f f f
            qwen2 | "use_sliding_window": true, "max_window_layers": 3 | f f f 4096
            qwen3 | "sliding_window": 64, "max_window_layers": 2 | f f f f
            qwen3 | "sliding_window": 64, "use_sliding_window": false, "max_window_layers": 2 | f f f f
            unheard_of | "sliding_window": 64, "max_window_layers": 2 | f f f f
            unheard_of | "sliding_window": 64 | 64 64 64 64
            unheard_of | "sliding_window": 64, "use_sliding_window": false | f f f f
            unheard_of | "sliding_window": 64, "sliding_window_pattern": 2 | 64 f 64 f
            unheard_of | "max_window_layers": null | f f f f
            gpt_oss | "sliding_window": 64 | 64 f 64 f
            gpt_oss | "sliding_window": null | f f f f
            gpt_oss | "tie_word_embeddings": true | 128 f 128 f
            """)
    void windowsOfEachType(String type, String more, String windows) throws IOException {
        assertThat(small(type, more).layers().stream()
                        .map(layer -> layer.kv().window())
                        .map(window -> window == Integer.MAX_VALUE ? "f" : window.toString()))
                .containsExactly(windows.split(" "));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            gpt_oss | "layer_types": ["sliding_attention", "full_attention", "full_attention", "full_attention"], \
            "sliding_window": null | layer_types has sliding_attention, but no sliding_window is in force
            qwen3_next | "full_attention_interval": 4 | full_attention_interval says that not all layers are attention
            jamba | "attn_layer_period": 8, "attn_layer_offset": 4 | attn_layer_period says that not all layers
            nemotron_h | "hybrid_override_pattern": "M-M*" | hybrid_override_pattern says that not all layers
            bamba | "mamba_d_state": 128 | mamba_d_state says that not all layers
            zamba2 | "layers_block_type": ["mamba", "hybrid"] | layers_block_type says that not all layers
            unheard_of | "linear_num_key_heads": 16 | linear_num_key_heads says that not all layers
            minimax | "attn_type_list": [0, 0, 0, 1] | attn_type_list says that not all layers
            unheard_of | "layer_types": ["linear_attention", "x", "x", "x"] | layer_types holds linear_attention
            """)
    void whatWouldBeCountedWrongIsRefused(String type, String more, String message) {
        assertThatThrownBy(() -> small(type, more))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining(message);
    }

    @Test
    void namesLikeThoseOfHybridsAreNoHybrids() throws IOException {
        ModelShape shape = small("unheard_of", """
                "attn_type_list": [1, 1, 1, 1], "mamba_d_state": null, "linear_bias": true""");
        assertThat(shape.growingElements(1)).isEqualTo(4 * 2 * 8);
    }

    @Test
    void layersWithExpertsMayBeListed() throws IOException {
        String experts = "\"n_routed_experts\": 8, \"num_experts_per_tok\": 2, \"moe_layer_freq\": ";
        assertThat(small("unheard_of", experts + "[0, 1, 1, 0]").layers().stream()
                        .map(layer -> layer.experts()))
                .containsExactly(0, 8, 8, 0);
        assertThat(small("unheard_of", experts + "3").layers().stream().map(layer -> layer.experts()))
                .containsExactly(8, 0, 0, 8);
        assertThatThrownBy(() -> small("unheard_of", experts + "[0, 1, 2, 0]"))
                .hasMessageContaining("moe_layer_freq holds 2, expected 0 or 1 for each layer");
    }

    /** 2 · 2³¹ · 2³¹ numbers of a gate and its twin are 2⁶³: no long holds them, of one layer or an expert. */
    @ParameterizedTest
    @ValueSource(strings = {"", ", \"num_experts\": 4, \"num_experts_per_tok\": 2"})
    void sumsBeyondCountingAreRefused(String experts) {
        String more = "\"hidden_size\": 2147483647, \"head_dim\": 8, \"intermediate_size\": 2147483647" + experts;
        for (String type : new String[] {"unheard_of", "llama"}) {
            assertThatThrownBy(() -> small(type, more))
                    .isInstanceOf(ModelFormatException.class)
                    .hasMessageContaining("describes more parameters than can be counted");
        }
    }

    /** Known to the engine or not: a table for each layer and KV head has to be possible. */
    @ParameterizedTest
    @ValueSource(strings = {"unheard_of", "mixtral"})
    void tooManyTablesAreRefused(String type) {
        String experts = "\"num_local_experts\": 8, \"num_experts_per_tok\": 2, ";
        String heads = "\"num_hidden_layers\": 10000, \"num_attention_heads\": 100000, \"head_dim\": 64, ";
        assertThatThrownBy(() -> small(type, experts + heads + "\"num_key_value_heads\": 100000"))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("num_key_value_heads is absurd: 10000 layers of 100000 KV heads");
    }
}
