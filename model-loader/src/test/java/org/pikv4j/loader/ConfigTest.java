package org.pikv4j.loader;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pikv4j.error.ModelFormatException;
import org.pikv4j.loader.config.Biases;
import org.pikv4j.loader.config.HuggingFaceConfig;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.model.FeedForwardSpec;
import org.pikv4j.model.ModelConfig;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

class ConfigTest {
    private static final int FULL = AttentionSpec.FULL;

    @TempDir
    Path temp;

    /** One field of a fixture set to a value in JSON, or removed by the value {@code -}, and what the error says. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            mixtral | model_type | - | model_type is missing
            mixtral | model_type | 7 | model_type is 7, expected a string
            mixtral | model_type | "t5" | model_type is t5, an encoder-decoder; only decoders are supported: mixtral,
            mixtral | model_type | "switch_transformers" | model_type is switch_transformers, an encoder-decoder
            mixtral | model_type | "gpt\\nx" | model_type is gpt\\u000ax, which is not supported; supported are mixtral,
            mixtral | hidden_size | - | hidden_size is missing
            mixtral | hidden_size | null | hidden_size is missing
            mixtral | hidden_size | 0 | hidden_size is 0, expected a positive integer
            mixtral | hidden_size | -64 | hidden_size is -64, expected a positive integer
            mixtral | hidden_size | 64.0 | hidden_size is 64.0, expected a positive integer
            mixtral | hidden_size | "64" | hidden_size is "64", expected a positive integer
            mixtral | hidden_size | 4294967360 | hidden_size is 4294967360, expected a positive integer
            mixtral | hidden_size | 66 | hidden_size is 66, no multiple of num_attention_heads 4
            mixtral | hidden_size | 60 | head_dim is 15; rotary positions need an even one
            mixtral | vocab_size | - | vocab_size is missing
            mixtral | num_hidden_layers | 2147483647 | num_hidden_layers is 2147483647, more than the 10000 possible
            mixtral | num_attention_heads | 0 | num_attention_heads is 0, expected a positive integer
            mixtral | num_key_value_heads | 3 | num_attention_heads is 4, no multiple of num_key_value_heads 3
            mixtral | num_key_value_heads | 8 | num_attention_heads is 4, no multiple of num_key_value_heads 8
            mixtral | head_dim | 17 | head_dim is 17; rotary positions need an even one
            mixtral | head_dim | 2147483646 | head_dim is 2147483646, absurd for 4 heads
            mixtral | max_position_embeddings | 0 | max_position_embeddings is 0
            mixtral | rms_norm_eps | "small" | rms_norm_eps is "small", expected a finite number
            mixtral | rms_norm_eps | NaN | rms_norm_eps is "NaN", expected a finite number
            mixtral | rms_norm_eps | 1e999 | rms_norm_eps is
            mixtral | rms_norm_eps | -1 | rms_norm_eps is -1.0, expected a number from 0 to 1
            mixtral | hidden_act | "gelu" | hidden_act is gelu; only silu is supported
            mixtral | quantization_config | {"quant_method":"gptq"} | quantization_config asks for gptq, not supported
            mixtral | num_local_experts | - | num_local_experts is missing
            mixtral | num_local_experts | 0 | num_local_experts is 0, expected 1 to 65536
            mixtral | num_local_experts | 65537 | num_local_experts is 65537, expected 1 to 65536
            mixtral | num_experts | 4 | num_experts is 4, but num_local_experts is 8
            mixtral | num_experts_per_tok | 9 | num_experts_per_tok is 9, but there are only 8 experts
            mixtral | num_experts_per_tok | 0 | num_experts_per_tok is 0, expected a positive integer
            mixtral | intermediate_size | - | intermediate_size is missing
            mixtral | sliding_window | -2 | sliding_window is -2, expected an integer of at least -1
            mixtral | tie_word_embeddings | "no" | tie_word_embeddings is "no", expected true or false
            mixtral | rope_theta | 0 | rope_theta is 0.0, expected a number above 0
            mixtral | rope_scaling | "yarn" | rope_scaling is "yarn", expected an object
            mixtral | rope_scaling | {"type":"linear"} | rope_scaling.type is linear; only default is supported
            mixtral | rope_scaling | {"rope_type":"yarn"} | rope_scaling.rope_type is yarn; only default is supported
            mixtral | rope_parameters | {"rope_type":"llama3"} | rope_parameters.rope_type is llama3; only default
            mixtral | rope_parameters | {"rope_theta":-1} | rope_parameters.rope_theta is -1.0, expected a number above
            mixtral | rope_parameters | {"full_attention":{}} | rope_parameters.full_attention gives a layer type its
            mixtral | partial_rotary_factor | 0.5 | partial_rotary_factor is 0.5; only 1 is supported
            mixtral | eos_token_id | [1,"x"] | eos_token_id is "x", expected an integer of at least 0
            mixtral | layer_types | ["full_attention"] | layer_types has 1 entries for 3 layers
            mixtral | layer_types | ["a","b","c"] | layer_types holds a; supported are full_attention and sliding_att
            qwen2-moe | layer_types | ["sliding_attention","full_attention","full_attention"] | no sliding_window is in
            qwen2-moe | decoder_sparse_step | 0 | decoder_sparse_step is 0, expected a positive integer
            qwen2-moe | mlp_only_layers | [-1] | mlp_only_layers is -1, expected an integer of at least 0
            qwen2-moe | moe_intermediate_size | - | moe_intermediate_size is missing
            qwen2-moe | shared_expert_intermediate_size | - | shared_expert_intermediate_size is missing
            qwen2-moe | norm_topk_prob | 1 | norm_topk_prob is 1, expected true or false
            qwen3-moe | intermediate_size | - | intermediate_size is missing
            llama | sliding_window | 24 | sliding_window is 24, but llama has no such window
            olmoe | clip_qkv | -8 | clip_qkv is -8.0, expected a number above 0
            """)
    void refuses(String fixture, String field, String value, String message) throws IOException {
        Path directory = TestModels.config(fixture, temp, config -> {
            if (value.equals("-")) {
                config.remove(field);
            } else {
                config.set(field, json(value));
            }
        });
        if (value.equals("NaN") || value.equals("1e999")) {
            Path file = directory.resolve("config.json");
            Files.writeString(file, Files.readString(file).replaceFirst("\"NaN\"|\"?Infinity\"?", value));
        }
        assertThatThrownBy(() -> HuggingFaceConfig.read(directory))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageStartingWith(directory.resolve("config.json") + ": ")
                .hasMessageContaining(message)
                .message()
                .doesNotContain("\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "[]", "{", "{} {}", "{\"a\":1,\"a\":2}", "{'a':1}", "nothing"})
    void refusesWhatIsNoObject(String text) throws IOException {
        Files.writeString(temp.resolve("config.json"), text);
        assertThatThrownBy(() -> HuggingFaceConfig.read(temp))
                .isInstanceOf(ModelFormatException.class)
                .message()
                .contains("config.json: not ")
                .doesNotContain("\n");
    }

    @Test
    void takesTheFamilysDefaults() throws IOException {
        ModelConfig mixtral = read("mixtral", config -> {
            config.remove(List.of(
                    "rope_parameters", "rms_norm_eps", "max_position_embeddings", "num_experts_per_tok", "hidden_act"));
            config.remove(List.of("tie_word_embeddings", "sliding_window"));
        });
        assertThat(mixtral.normEpsilon()).isEqualTo(1e-5f);
        assertThat(mixtral.maxPositions()).isEqualTo(131_072);
        assertThat(attention(mixtral).rope().theta()).isEqualTo(1e6);
        assertThat(((FeedForwardSpec.Sparse) mixtral.layers().getFirst().feedForward()).topK())
                .isEqualTo(2);
        ModelConfig llama = read("llama", config -> config.remove(List.of("rms_norm_eps", "rope_parameters")));
        assertThat(llama.normEpsilon()).isEqualTo(1e-6f);
        assertThat(attention(llama).rope().theta()).isEqualTo(1e4);
    }

    @Test
    void readsKeyValueHeads() throws IOException {
        assertThat(attention(read("llama", config -> config.remove("num_key_value_heads")))
                        .kvHeads())
                .isEqualTo(4);
        assertThat(attention(read("mixtral", config -> config.putNull("num_key_value_heads")))
                        .kvHeads())
                .isEqualTo(4);
        // Where Mixtral's file does not mention them, transformers means 8.
        assertThat(attention(read("mixtral", config -> {
                            config.remove("num_key_value_heads");
                            config.put("num_attention_heads", 16);
                        }))
                        .kvHeads())
                .isEqualTo(8);
    }

    @Test
    void readsBothSpellingsOfTheNumberOfExperts() throws IOException {
        for (String fixture : new String[] {"mixtral", "qwen2-moe", "qwen3-moe", "olmoe"}) {
            for (String field : new String[] {"num_experts", "num_local_experts"}) {
                ModelConfig model = read(fixture, config -> {
                    config.remove(List.of("num_experts", "num_local_experts"));
                    config.put(field, 5);
                });
                assertThat(((FeedForwardSpec.Sparse) model.layers().getLast().feedForward()).experts())
                        .isEqualTo(5);
            }
        }
    }

    @Test
    void readsTheRotaryBaseInEitherDialect() throws IOException {
        assertThat(attention(read("mixtral", config -> {
                            config.remove("rope_parameters");
                            config.put("rope_theta", 5000);
                            config.putNull("rope_scaling");
                        }))
                        .rope()
                        .theta())
                .isEqualTo(5000);
        assertThat(attention(read("mixtral", config -> {
                            config.put("rope_theta", 5000);
                            config.put("partial_rotary_factor", 1.0);
                            config.set("rope_parameters", json("{\"type\":\"default\",\"rope_theta\":7e3}"));
                        }))
                        .rope()
                        .theta())
                .isEqualTo(7000);
        assertThat(attention(read("mixtral", config -> {
                            config.remove("rope_parameters");
                            config.put("rope_theta", 5000);
                            config.set("rope_scaling", json("{\"rope_type\":\"default\"}"));
                        }))
                        .rope()
                        .theta())
                .isEqualTo(5000);
    }

    @Test
    void readsWindows() throws IOException {
        for (String none : new String[] {"null", "0", "-1"}) {
            assertThat(windows(read("mixtral", config -> config.set("sliding_window", json(none)))))
                    .containsExactly(FULL, FULL, FULL);
        }
        assertThat(windows(read("mixtral", config -> config.put("sliding_window", 7))))
                .containsExactly(7, 7, 7);
        assertThat(windows(read("llama", config -> config.put("model_type", "mistral"))))
                .containsExactly(4096, 4096, 4096);
        assertThat(windows(read(
                        "llama", config -> config.put("model_type", "mistral").putNull("sliding_window"))))
                .containsExactly(FULL, FULL, FULL);
        assertThat(windows(read("qwen3-moe", config -> config.put("sliding_window", 7))))
                .containsExactly(FULL, FULL, FULL);
        assertThat(windows(read(
                        "qwen3-moe", config -> config.put("sliding_window", 7).put("use_sliding_window", true))))
                .containsExactly(7, 7, 7);
    }

    @Test
    void readsWindowsOfSomeLayers() throws IOException {
        Consumer<ObjectNode> used = config -> {
            config.put("sliding_window", 7).put("use_sliding_window", true);
            config.remove("layer_types");
        };
        assertThat(windows(read("qwen2-moe", used))).containsExactly(7, FULL, 7);
        assertThat(windows(read("qwen2-moe", used.andThen(config -> config.put("max_window_layers", 2)))))
                .containsExactly(7, FULL, FULL);
        assertThat(windows(read(
                        "qwen2-moe",
                        used.andThen(config -> config.set(
                                "layer_types",
                                json("[\"full_attention\",\"sliding_attention\",\"full_attention\"]"))))))
                .containsExactly(FULL, 7, FULL);
    }

    @Test
    void readsDenseLayersAmongSparseOnes() throws IOException {
        assertThat(dense(read("qwen3-moe", config -> config.put("decoder_sparse_step", 2))))
                .containsExactly(true, false, true);
        assertThat(dense(read("qwen3-moe", config -> config.set("mlp_only_layers", json("[2, 99]")))))
                .containsExactly(false, false, true);
        assertThat(dense(read("qwen3-moe", config -> config.put("num_local_experts", 0))))
                .containsExactly(true, true, true);
    }

    @Test
    void readsBiases() throws IOException {
        assertThat(biases("mixtral", config -> config.put("attention_bias", true)))
                .isEqualTo(new Biases(false, false, false));
        assertThat(biases("llama", config -> config.put("attention_bias", true)))
                .isEqualTo(new Biases(true, true, false));
        assertThat(biases("llama", config -> config.put("mlp_bias", true))).isEqualTo(new Biases(false, false, true));
        assertThat(biases("qwen2-moe", config -> config.remove("qkv_bias"))).isEqualTo(new Biases(true, false, false));
        assertThat(biases("qwen2-moe", config -> config.put("qkv_bias", false)))
                .isEqualTo(new Biases(false, false, false));
        assertThat(biases("qwen3-moe", config -> config.put("attention_bias", true)))
                .isEqualTo(new Biases(true, true, false));
    }

    @Test
    void readsTheClip() throws IOException {
        assertThat(attention(read("olmoe", config -> config.put("clip_qkv", 8))).clip())
                .isEqualTo(8);
        assertThat(attention(read("mixtral", config -> config.put("clip_qkv", 8)))
                        .clip())
                .isInfinite();
    }

    @Test
    void takesASharedExpertOfNoWidthForNone() throws IOException {
        ModelConfig model = read("qwen2-moe", config -> config.put("shared_expert_intermediate_size", 0));
        assertThat(((FeedForwardSpec.Sparse) model.layers().getFirst().feedForward()).sharedWidth())
                .isEmpty();
    }

    private ModelConfig read(String fixture, Consumer<ObjectNode> change) throws IOException {
        return HuggingFaceConfig.read(TestModels.config(fixture, temp, change)).model();
    }

    private Biases biases(String fixture, Consumer<ObjectNode> change) throws IOException {
        return HuggingFaceConfig.read(TestModels.config(fixture, temp, change)).biases();
    }

    private static AttentionSpec attention(ModelConfig model) {
        return model.layers().getFirst().attention();
    }

    private static List<Integer> windows(ModelConfig model) {
        return model.layers().stream().map(layer -> layer.attention().window()).toList();
    }

    private static List<Boolean> dense(ModelConfig model) {
        return model.layers().stream()
                .map(layer -> layer.feedForward() instanceof FeedForwardSpec.Dense)
                .toList();
    }

    private static JsonNode json(String text) {
        JsonMapper mapper = new JsonMapper();
        return switch (text) {
            case "NaN" -> mapper.getNodeFactory().stringNode("NaN");
            case "1e999" -> mapper.getNodeFactory().stringNode("Infinity");
            default -> mapper.readTree(text);
        };
    }
}
