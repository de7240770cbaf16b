package org.pikv4j.loader;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pikv4j.error.ModelFormatException;
import org.pikv4j.loader.safetensors.SafetensorsFile;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.model.AttentionSpec.QkNorm;
import org.pikv4j.model.FeedForwardSpec;
import org.pikv4j.model.FeedForwardWeights;
import org.pikv4j.model.LayerSpec;
import org.pikv4j.model.LayerWeights;
import org.pikv4j.model.LoadedModel;
import org.pikv4j.model.ModelConfig;
import org.pikv4j.model.ModelLoader;
import org.pikv4j.model.ModelWeights;

class HuggingFaceLoaderTest {
    private final ModelLoader loader = new HuggingFaceLoader();

    @TempDir
    Path temp;

    @Test
    void isFoundAsAService() {
        assertThat(ServiceLoader.load(ModelLoader.class)).hasAtLeastOneElementOfType(HuggingFaceLoader.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"mixtral", "mixtral-swa", "llama", "qwen2-moe", "qwen3-moe", "olmoe"})
    void opensEveryFixture(String name) throws IOException {
        Path directory = Fixtures.checkpoint(name);
        assertThat(loader.accepts(directory)).isTrue();
        List<Double> progress = new ArrayList<>();
        try (LoadedModel model = loader.load(directory, progress::add)) {
            ModelConfig config = model.config();
            assertThat(config.hidden()).isEqualTo(64);
            assertThat(config.vocabulary()).isEqualTo(925);
            assertThat(config.maxPositions()).isEqualTo(2048);
            assertThat(config.normEpsilon()).isEqualTo(1e-5f);
            assertThat(config.tiedEmbeddings()).isFalse();
            assertThat(config.layers()).hasSize(3);
            assertThat(model.directory()).isEqualTo(directory);
            assertThat(model.weightBytes()).isEqualTo(Files.size(directory.resolve("model.safetensors")));
            assertThat(model.generationDefaults().endTokens()).containsExactly(2);
            assertThat(loader.config(directory)).isEqualTo(config);
            checkShapes(config, model.weights());
        }
        assertThat(progress).isSorted().endsWith(1.0);
    }

    @Test
    void readsMixtral() {
        AttentionSpec attention = config("mixtral").layers().getFirst().attention();
        assertThat(attention.heads()).isEqualTo(4);
        assertThat(attention.kvHeads()).isEqualTo(2);
        assertThat(attention.headDim()).isEqualTo(16);
        assertThat(attention.scale()).isEqualTo(0.25f);
        assertThat(attention.window()).isEqualTo(AttentionSpec.FULL);
        assertThat(attention.rope().theta()).isEqualTo(10000);
        assertThat(attention.qkNorm()).isEqualTo(QkNorm.NONE);
        assertThat(attention.clip()).isEqualTo(Float.POSITIVE_INFINITY);
        assertThat(feedForwards("mixtral"))
                .containsOnly(new FeedForwardSpec.Sparse(8, 2, 96, true, OptionalInt.empty()));
    }

    @Test
    void readsTheSlidingWindowAndTheOlderDialect() {
        ModelConfig config = config("mixtral-swa");
        assertThat(config.layers())
                .extracting(layer -> layer.attention().window())
                .containsOnly(24);
        assertThat(config.layers().getFirst().attention().rope().theta()).isEqualTo(10000);
    }

    @Test
    void readsLlama() {
        assertThat(feedForwards("llama")).containsOnly(new FeedForwardSpec.Dense(96));
    }

    @Test
    void readsQwen2() {
        assertThat(feedForwards("qwen2-moe"))
                .containsOnly(new FeedForwardSpec.Sparse(8, 2, 48, false, OptionalInt.of(80)));
        try (LoadedModel model = load("qwen2-moe")) {
            for (LayerWeights layer : model.weights().layers()) {
                assertThat(layer.attention().query().bias()).hasSize(64);
                assertThat(layer.attention().key().bias()).hasSize(32);
                assertThat(layer.attention().value().bias()).hasSize(32);
                assertThat(layer.attention().output().bias()).isEmpty();
            }
        }
    }

    @Test
    void readsQwen3() {
        assertThat(feedForwards("qwen3-moe"))
                .containsExactly(
                        new FeedForwardSpec.Dense(96),
                        new FeedForwardSpec.Sparse(16, 4, 48, true, OptionalInt.empty()),
                        new FeedForwardSpec.Sparse(16, 4, 48, true, OptionalInt.empty()));
        try (LoadedModel model = load("qwen3-moe")) {
            AttentionSpec attention = model.config().layers().getFirst().attention();
            assertThat(attention.headDim()).isEqualTo(32);
            assertThat(attention.rope().theta()).isEqualTo(1e6);
            assertThat(attention.qkNorm()).isEqualTo(QkNorm.PER_HEAD);
            assertThat(model.weights().layers().getFirst().attention().queryNorm())
                    .hasSize(32);
        }
    }

    @Test
    void readsOlmoe() {
        assertThat(feedForwards("olmoe"))
                .containsOnly(new FeedForwardSpec.Sparse(8, 3, 96, false, OptionalInt.empty()));
        try (LoadedModel model = load("olmoe")) {
            assertThat(model.config().layers().getFirst().attention().qkNorm()).isEqualTo(QkNorm.WHOLE_PROJECTION);
            assertThat(model.weights().layers().getFirst().attention().queryNorm())
                    .hasSize(64);
        }
    }

    @Test
    void namesTheDirectoryThatIsMissing() {
        Path missing = temp.resolve("nothing");
        assertThat(loader.accepts(missing)).isFalse();
        assertThatThrownBy(() -> loader.load(missing, _ -> {}))
                .isInstanceOf(ModelFormatException.class)
                .hasMessage(missing + ": no such directory");
    }

    @Test
    void closesTwice() {
        LoadedModel model = load("llama");
        model.close();
        model.close();
        assertThatThrownBy(() -> model.weights().embedding().toFloats()).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void missesTheTokenizerOnlyWhenAsked() {
        try (LoadedModel model = load("llama")) {
            assertThat(model.chatTemplate()).isEmpty();
            assertThatThrownBy(model::tokenizer)
                    .isInstanceOf(ModelFormatException.class)
                    .hasMessageEndingWith("tokenizer.json: no such file");
        }
    }

    @Test
    void readsGoldenFiles() {
        try (Arena arena = Arena.ofConfined()) {
            SafetensorsFile golden =
                    SafetensorsFile.map(Fixtures.checkpoint("mixtral").resolve("golden.safetensors"), arena);
            assertThat(golden.names()).containsExactlyInAnyOrder("input_ids", "logits", "greedy_ids");
            assertThat(golden.require("input_ids").toInts()).hasSize(48);
            assertThat(golden.require("logits").tensor().shape()).containsExactly(48L, 925L);
        }
    }

    private LoadedModel load(String fixture) {
        return loader.load(Fixtures.checkpoint(fixture), _ -> {});
    }

    private ModelConfig config(String fixture) {
        return loader.config(Fixtures.checkpoint(fixture));
    }

    private List<FeedForwardSpec> feedForwards(String fixture) {
        return config(fixture).layers().stream().map(LayerSpec::feedForward).toList();
    }

    private static void checkShapes(ModelConfig config, ModelWeights weights) {
        assertThat(weights.embedding().shape()).containsExactly(925L, 64L);
        assertThat(weights.output().weight().name()).isEqualTo("lm_head.weight");
        assertThat(weights.finalNorm()).hasSize(64);
        for (int i = 0; i < config.layers().size(); i++) {
            LayerSpec spec = config.layers().get(i);
            LayerWeights layer = weights.layers().get(i);
            assertThat(layer.attention().query().out())
                    .isEqualTo(spec.attention().queryWidth());
            assertThat(layer.attention().key().out()).isEqualTo(spec.attention().kvWidth());
            assertThat(layer.attention().output().in())
                    .isEqualTo(spec.attention().queryWidth());
            switch (layer.feedForward()) {
                case FeedForwardWeights.Dense dense ->
                    assertThat(spec.feedForward())
                            .isEqualTo(new FeedForwardSpec.Dense(dense.block().width()));
                case FeedForwardWeights.Sparse sparse -> {
                    FeedForwardSpec.Sparse expected = (FeedForwardSpec.Sparse) spec.feedForward();
                    assertThat(sparse.experts()).hasSize(expected.experts());
                    assertThat(sparse.router().out()).isEqualTo(expected.experts());
                    assertThat(sparse.experts())
                            .allSatisfy(e -> assertThat(e.width()).isEqualTo(expected.width()));
                    assertThat(sparse.shared().isPresent())
                            .isEqualTo(expected.sharedWidth().isPresent());
                }
            }
        }
    }
}
