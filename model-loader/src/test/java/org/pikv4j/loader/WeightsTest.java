package org.pikv4j.loader;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pikv4j.error.ModelFormatException;
import org.pikv4j.loader.safetensors.ElementType;
import org.pikv4j.loader.safetensors.RawTensor;
import org.pikv4j.model.FeedForwardWeights;
import org.pikv4j.model.LayerWeights;
import org.pikv4j.model.Linear;
import org.pikv4j.model.LoadedModel;
import org.pikv4j.model.ModelWeights;
import org.pikv4j.model.SwiGlu;

class WeightsTest {
    private static final String INDEX = "model.safetensors.index.json";

    @TempDir
    Path temp;

    @ParameterizedTest
    @CsvSource({
        "mixtral, model.embed_tokens.weight",
        "mixtral, lm_head.weight",
        "mixtral, model.norm.weight",
        "mixtral, model.layers.1.block_sparse_moe.gate.weight",
        "mixtral, model.layers.2.block_sparse_moe.experts.7.w2.weight",
        "llama, model.layers.0.mlp.up_proj.weight",
        "qwen2-moe, model.layers.0.self_attn.k_proj.bias",
        "qwen2-moe, model.layers.0.mlp.shared_expert_gate.weight",
        "qwen3-moe, model.layers.0.self_attn.q_norm.weight",
        "olmoe, model.layers.2.self_attn.k_norm.weight"
    })
    void namesTheTensorThatIsMissing(String fixture, String tensor) throws IOException {
        TestModels.copy(fixture, temp);
        TestModels.weights(fixture, temp, tensors -> tensors.remove(tensor));
        refused(temp.resolve("model.safetensors") + ": tensor " + tensor + " is missing");
    }

    @Test
    void namesTheTensorOfAnotherShape() throws IOException {
        TestModels.copy("mixtral", temp);
        String name = "model.layers.0.block_sparse_moe.experts.3.w1.weight";
        TestModels.weights("mixtral", temp, tensors -> {
            RawTensor was = tensors.get(name);
            tensors.put(name, new RawTensor(was.file(), name, was.type(), List.of(64L, 96L), was.data()));
        });
        refused(temp.resolve("model.safetensors") + ": tensor " + name
                + " has the shape [64, 96], but the configuration calls for [96, 64]");
    }

    @Test
    void namesTheTensorOfAnotherType() throws IOException {
        TestModels.copy("mixtral", temp);
        String name = "model.layers.0.self_attn.q_proj.weight";
        TestModels.weights("mixtral", temp, tensors -> {
            RawTensor was = tensors.get(name);
            tensors.put(name, new RawTensor(was.file(), name, ElementType.I16, was.shape(), was.data()));
        });
        refused(temp.resolve("model.safetensors") + ": tensor " + name
                + " has the type I16; supported are F32, BF16 and F16");
    }

    @Test
    void ignoresTensorsThatNobodyAsksFor() throws IOException {
        TestModels.copy("llama", temp);
        TestModels.weights(
                "llama",
                temp,
                tensors -> tensors.put(
                        "model.layers.0.self_attn.rotary_emb.inv_freq",
                        new RawTensor(
                                temp, "", ElementType.F64, List.of(1L), MemorySegment.ofArray(new byte[Long.BYTES]))));
        try (LoadedModel model = load()) {
            assertThat(model.weights().layers()).hasSize(3);
        }
    }

    @Test
    void tiesTheEmbeddings() throws IOException {
        TestModels.config("mixtral", temp, config -> config.put("tie_word_embeddings", true));
        TestModels.weights("mixtral", temp, tensors -> tensors.remove("lm_head.weight"));
        try (LoadedModel model = load()) {
            assertThat(model.config().tiedEmbeddings()).isTrue();
            assertThat(model.weights().output().weight())
                    .isEqualTo(model.weights().embedding());
        }
        TestModels.copy("mixtral", temp);
        TestModels.config("mixtral", temp, config -> config.put("tie_word_embeddings", true));
        try (LoadedModel model = load()) {
            assertThat(model.config().tiedEmbeddings()).isFalse();
            assertThat(model.weights().output().weight().name()).isEqualTo("lm_head.weight");
        }
    }

    @Test
    void readsBiasesOfEveryProjection() throws IOException {
        TestModels.config(
                "llama", temp, config -> config.put("attention_bias", true).put("mlp_bias", true));
        TestModels.weights("llama", temp, tensors -> {
            List<String> weights = new ArrayList<>(tensors.keySet());
            weights.removeIf(name -> !name.contains("_proj."));
            for (String name : weights) {
                RawTensor weight = tensors.get(name);
                long out = weight.shape().getFirst();
                tensors.put(
                        name.replace(".weight", ".bias"),
                        new RawTensor(
                                temp,
                                "",
                                ElementType.BF16,
                                List.of(out),
                                weight.data().asSlice(0, 2 * out)));
            }
        });
        try (LoadedModel model = load()) {
            LayerWeights layer = model.weights().layers().getFirst();
            SwiGlu block = ((FeedForwardWeights.Dense) layer.feedForward()).block();
            for (Linear linear : List.of(
                    layer.attention().query(),
                    layer.attention().key(),
                    layer.attention().value(),
                    layer.attention().output(),
                    block.gate(),
                    block.up(),
                    block.down())) {
                assertThat(linear.bias()).hasSize(linear.out());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"mixtral", "qwen2-moe", "qwen3-moe", "olmoe"})
    void readsFusedExperts(String fixture) throws IOException {
        TestModels.copy(fixture, temp);
        try (LoadedModel separate = load()) {
            TestModels.weights(fixture, temp, FusedExperts::fuse);
            try (LoadedModel fused = load()) {
                same(separate.weights(), fused.weights());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"mixtral", "qwen3-moe"})
    void readsShards(String fixture) throws IOException {
        TestModels.shards(fixture, temp, WeightsTest::shardOf);
        List<Double> progress = new ArrayList<>();
        try (LoadedModel whole = new HuggingFaceLoader().load(Fixtures.checkpoint(fixture), _ -> {});
                LoadedModel sharded = new HuggingFaceLoader().load(temp, progress::add)) {
            same(whole.weights(), sharded.weights());
            assertThat(sharded.weightBytes())
                    .isEqualTo(Files.size(temp.resolve("model-0.safetensors"))
                            + Files.size(temp.resolve("model-1.safetensors")));
        }
        assertThat(progress).isSorted().endsWith(1.0);
    }

    @Test
    void namesTheShardThatIsMissing() throws IOException {
        TestModels.shards("llama", temp, WeightsTest::shardOf);
        Files.delete(temp.resolve("model-1.safetensors"));
        refused(temp.resolve(INDEX) + ": the shard model-1.safetensors of tensor model.embed_tokens.weight is missing");
    }

    @Test
    void namesTheTensorThatIsNotInItsShard() throws IOException {
        TestModels.shards("llama", temp, WeightsTest::shardOf);
        Path index = temp.resolve(INDEX);
        Files.writeString(index, Files.readString(index).replace("lm_head.weight", "lm_head.wait"));
        refused(temp.resolve("model-0.safetensors") + ": tensor lm_head.wait is missing, though " + INDEX
                + " says it is here");
    }

    @ParameterizedTest
    @ValueSource(strings = {"../x", "/etc/passwd", "", ".", "..", "a\\\\b", "c:x", "a\\u0000b", "\\ud800"})
    void keepsTheIndexInsideTheDirectory(String shard) throws IOException {
        TestModels.shards("llama", temp, WeightsTest::shardOf);
        Path index = temp.resolve(INDEX);
        Files.writeString(index, Files.readString(index).replace("model-0.safetensors", shard));
        assertThatThrownBy(this::load)
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining(INDEX + ": ")
                .message()
                .doesNotContain("\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "{\"weight_map\":[]}", "{\"weight_map\":{\"a\":1}}", "{\"weight_map\":{\"a\":null}}"})
    void refusesADamagedIndex(String index) throws IOException {
        TestModels.shards("llama", temp, WeightsTest::shardOf);
        Files.writeString(temp.resolve(INDEX), index);
        assertThatThrownBy(this::load)
                .isInstanceOf(ModelFormatException.class)
                .hasMessageStartingWith(temp.resolve(INDEX) + ": weight_map");
    }

    @Test
    void saysWhereThereAreNoWeights() throws IOException {
        TestModels.config("llama", temp, _ -> {});
        refused(temp + ": neither model.safetensors nor " + INDEX + " is there");
        Files.createFile(temp.resolve("pytorch_model.bin"));
        refused(temp + ": neither model.safetensors nor " + INDEX
                + " is there; pytorch_model.bin is not read, convert it to safetensors");
    }

    private static String shardOf(String tensor) {
        return "model-" + (tensor.hashCode() & 1) + ".safetensors";
    }

    private LoadedModel load() {
        return new HuggingFaceLoader().load(temp, _ -> {});
    }

    private void refused(String message) {
        assertThatThrownBy(this::load).isInstanceOf(ModelFormatException.class).hasMessage(message);
    }

    /** The same numbers in the same places, whatever the tensors are called. */
    private static void same(ModelWeights expected, ModelWeights actual) {
        assertThat(actual.embedding().toFloats()).isEqualTo(expected.embedding().toFloats());
        same(expected.output(), actual.output());
        for (int i = 0; i < expected.layers().size(); i++) {
            LayerWeights a = expected.layers().get(i);
            LayerWeights b = actual.layers().get(i);
            assertThat(b.attentionNorm()).isEqualTo(a.attentionNorm());
            assertThat(b.feedForwardNorm()).isEqualTo(a.feedForwardNorm());
            assertThat(b.attention().queryNorm()).isEqualTo(a.attention().queryNorm());
            same(a.attention().value(), b.attention().value());
            if (a.feedForward() instanceof FeedForwardWeights.Sparse sparse) {
                FeedForwardWeights.Sparse other = (FeedForwardWeights.Sparse) b.feedForward();
                same(sparse.router(), other.router());
                assertThat(other.experts()).hasSameSizeAs(sparse.experts());
                for (int e = 0; e < sparse.experts().size(); e++) {
                    same(sparse.experts().get(e), other.experts().get(e));
                }
                assertThat(other.shared().isPresent()).isEqualTo(sparse.shared().isPresent());
            } else {
                same(
                        ((FeedForwardWeights.Dense) a.feedForward()).block(),
                        ((FeedForwardWeights.Dense) b.feedForward()).block());
            }
        }
    }

    private static void same(SwiGlu expected, SwiGlu actual) {
        same(expected.gate(), actual.gate());
        same(expected.up(), actual.up());
        same(expected.down(), actual.down());
    }

    private static void same(Linear expected, Linear actual) {
        assertThat(actual.weight().shape()).isEqualTo(expected.weight().shape());
        assertThat(actual.weight().toFloats()).isEqualTo(expected.weight().toFloats());
        assertThat(actual.bias()).isEqualTo(expected.bias());
    }

    /** Rewrites tensors of single experts as transformers 5 holds them in memory. */
    private static final class FusedExperts {
        static void fuse(Map<String, RawTensor> tensors) {
            for (int layer = 0; layer < 3; layer++) {
                String block = "model.layers." + layer + ".mlp.";
                RawTensor gate = tensors.remove("model.layers." + layer + ".block_sparse_moe.gate.weight");
                if (gate != null) {
                    tensors.put(block + "gate.weight", gate);
                    fuse(tensors, block, "model.layers." + layer + ".block_sparse_moe.experts.", "w1", "w3", "w2");
                } else if (tensors.containsKey(block + "gate.weight")) {
                    fuse(tensors, block, block + "experts.", "gate_proj", "up_proj", "down_proj");
                }
            }
        }

        private static void fuse(
                Map<String, RawTensor> tensors, String block, String experts, String gate, String up, String down) {
            List<byte[]> gateUps = new ArrayList<>();
            List<byte[]> downs = new ArrayList<>();
            RawTensor first = tensors.get(experts + "0." + gate + ".weight");
            int count = 0;
            for (; tensors.containsKey(experts + count + "." + gate + ".weight"); count++) {
                gateUps.add(bytes(tensors.remove(experts + count + "." + gate + ".weight")));
                gateUps.add(bytes(tensors.remove(experts + count + "." + up + ".weight")));
                downs.add(bytes(tensors.remove(experts + count + "." + down + ".weight")));
            }
            long width = first.shape().getFirst();
            long hidden = first.shape().getLast();
            tensors.put(
                    block + "experts.gate_up_proj",
                    new RawTensor(
                            first.file(), "", first.type(), List.of((long) count, 2 * width, hidden), join(gateUps)));
            tensors.put(
                    block + "experts.down_proj",
                    new RawTensor(first.file(), "", first.type(), List.of((long) count, hidden, width), join(downs)));
        }

        private static byte[] bytes(RawTensor tensor) {
            return tensor.data().toArray(ValueLayout.JAVA_BYTE);
        }

        private static MemorySegment join(List<byte[]> parts) {
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            parts.forEach(all::writeBytes);
            return MemorySegment.ofArray(all.toByteArray());
        }
    }
}
