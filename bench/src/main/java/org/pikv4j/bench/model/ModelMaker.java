package org.pikv4j.bench.model;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.DoubleConsumer;
import org.pikv4j.cli.Json;
import org.pikv4j.loader.safetensors.ElementType;
import org.pikv4j.loader.safetensors.SafetensorsWriter;
import org.pikv4j.loader.safetensors.TensorDeclaration;

/**
 * Writes a Mixtral checkpoint with random weights in the public format. They are scaled as trained ones are: every
 * projection keeps the size of its input, and what is added to the residual stream is divided by √(2·layers), so that
 * activations stay of order one through all layers.
 */
public final class ModelMaker {
    private static final int PIECE = 1 << 18;

    private final Preset preset;
    private final SplittableRandom random;
    private final List<TensorDeclaration> tensors = new ArrayList<>();
    private final List<Float> deviations = new ArrayList<>(); // of each tensor; 0 for all ones

    /**
     * @param preset the shape
     * @param seed of the weights: equal seeds make equal files
     */
    public ModelMaker(Preset preset, long seed) {
        this.preset = preset;
        this.random = new SplittableRandom(seed);
        declare();
    }

    private void declare() {
        int hidden = preset.hidden();
        int queries = preset.heads() * preset.headDim();
        int keys = preset.kvHeads() * preset.headDim();
        double damped = 1 / Math.sqrt(2.0 * preset.layers());
        declare("model.embed_tokens.weight", 1, preset.vocabulary(), hidden);
        for (int l = 0; l < preset.layers(); l++) {
            String layer = "model.layers." + l + ".";
            declare(layer + "input_layernorm.weight", 0, hidden);
            declare(layer + "self_attn.q_proj.weight", 1 / Math.sqrt(hidden), queries, hidden);
            declare(layer + "self_attn.k_proj.weight", 1 / Math.sqrt(hidden), keys, hidden);
            declare(layer + "self_attn.v_proj.weight", 1 / Math.sqrt(hidden), keys, hidden);
            declare(layer + "self_attn.o_proj.weight", damped / Math.sqrt(queries), hidden, queries);
            declare(layer + "post_attention_layernorm.weight", 0, hidden);
            declare(layer + "block_sparse_moe.gate.weight", 1 / Math.sqrt(hidden), preset.experts(), hidden);
            for (int e = 0; e < preset.experts(); e++) {
                String expert = layer + "block_sparse_moe.experts." + e + ".";
                declare(expert + "w1.weight", 1 / Math.sqrt(hidden), preset.width(), hidden);
                declare(expert + "w2.weight", damped / Math.sqrt(preset.width()), hidden, preset.width());
                declare(expert + "w3.weight", 1 / Math.sqrt(hidden), preset.width(), hidden);
            }
        }
        declare("model.norm.weight", 0, hidden);
        declare("lm_head.weight", 1 / Math.sqrt(hidden), preset.vocabulary(), hidden);
    }

    private void declare(String name, double deviation, long... shape) {
        tensors.add(new TensorDeclaration(name, ElementType.BF16, shape));
        deviations.add((float) deviation);
    }

    /**
     * @return number of weights
     */
    public long parameters() {
        return tensors.stream().mapToLong(TensorDeclaration::bytes).sum() / 2;
    }

    /**
     * Writes the checkpoint.
     *
     * @param directory an empty directory
     * @param tokenizer the content of {@code tokenizer.json}
     * @param progress hears of the share written
     * @throws IOException if it cannot be written
     */
    public void write(Path directory, String tokenizer, DoubleConsumer progress) throws IOException {
        writeWeights(directory.resolve("model.safetensors"), progress);
        Files.writeString(directory.resolve("config.json"), Json.indented(config()));
        Files.writeString(
                directory.resolve("generation_config.json"),
                Json.indented(Map.of("bos_token_id", 1, "eos_token_id", 2, "do_sample", false)));
        Files.writeString(directory.resolve("tokenizer.json"), tokenizer);
        Files.writeString(
                directory.resolve("tokenizer_config.json"),
                Json.indented(Map.of(
                        "tokenizer_class", "PreTrainedTokenizerFast",
                        "bos_token", "<s>",
                        "eos_token", "</s>",
                        "unk_token", "<unk>",
                        "model_max_length", preset.positions())));
    }

    private void writeWeights(Path file, DoubleConsumer progress) throws IOException {
        float[] piece = new float[PIECE];
        long done = 0;
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, tensors, Map.of("format", "pt"))) {
            for (int t = 0; t < tensors.size(); t++) {
                long left = tensors.get(t).bytes() / 2;
                while (left > 0) {
                    int count = (int) Math.min(PIECE, left);
                    fill(piece, count, deviations.get(t));
                    writer.write(piece, 0, count);
                    left -= count;
                    done += count;
                    progress.accept((double) done / parameters());
                }
            }
            writer.finish();
        }
    }

    /** About normally distributed: the sum of four uniform numbers of 16 bits, which one draw gives. */
    private void fill(float[] values, int count, float deviation) {
        if (deviation == 0f) {
            Arrays.fill(values, 0, count, 1f);
            return;
        }
        // The sum of four has mean 2·65535 and variance 4·65536²/12.
        float scale = deviation / (65_536f * (float) Math.sqrt(1.0 / 3));
        for (int i = 0; i < count; i++) {
            long bits = random.nextLong();
            int sum = (int) (bits & 0xffff)
                    + (int) (bits >>> 16 & 0xffff)
                    + (int) (bits >>> 32 & 0xffff)
                    + (int) (bits >>> 48);
            values[i] = (sum - 131_070) * scale;
        }
    }

    private Map<String, Object> config() {
        Map<String, Object> config = new LinkedHashMap<>();
        config.put("architectures", List.of("MixtralForCausalLM"));
        config.put("model_type", "mixtral");
        config.put("hidden_act", "silu");
        config.put("hidden_size", preset.hidden());
        config.put("intermediate_size", preset.width());
        config.put("num_hidden_layers", preset.layers());
        config.put("num_attention_heads", preset.heads());
        config.put("num_key_value_heads", preset.kvHeads());
        config.put("head_dim", preset.headDim());
        config.put("num_local_experts", preset.experts());
        config.put("num_experts_per_tok", preset.topK());
        config.put("rms_norm_eps", 1e-5);
        config.put("rope_theta", 1_000_000.0);
        config.put("max_position_embeddings", preset.positions());
        config.put("tie_word_embeddings", false);
        config.put("vocab_size", preset.vocabulary());
        config.put("bos_token_id", 1);
        config.put("eos_token_id", 2);
        config.put("torch_dtype", "bfloat16");
        return config;
    }
}
