package org.pikv4j.loader;

import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.DoubleConsumer;
import org.pikv4j.error.ModelFormatException;
import org.pikv4j.loader.config.GenerationConfig;
import org.pikv4j.loader.config.HuggingFaceConfig;
import org.pikv4j.loader.safetensors.SafetensorsCheckpoint;
import org.pikv4j.loader.safetensors.TensorSource;
import org.pikv4j.loader.weights.WeightResolver;
import org.pikv4j.model.GenerationDefaults;
import org.pikv4j.model.LoadedModel;
import org.pikv4j.model.ModelConfig;
import org.pikv4j.model.ModelLoader;
import org.pikv4j.model.ModelWeights;

/** Loads a model from a directory as Hugging Face transformers saves it, weights in safetensors. */
public final class HuggingFaceLoader implements ModelLoader {
    /** The share of the progress that mapping the files is given; checking the tensors is the rest. */
    private static final double MAPPING_SHARE = 0.5;

    @Override
    public String name() {
        return "Hugging Face directory (" + HuggingFaceConfig.FILE + " and safetensors)";
    }

    @Override
    public boolean accepts(Path model) {
        return Files.isRegularFile(model.resolve(HuggingFaceConfig.FILE));
    }

    @Override
    public ModelConfig config(Path model) {
        return read(model).model();
    }

    @Override
    public LoadedModel load(Path model, DoubleConsumer progress) {
        HuggingFaceConfig config = read(model);
        GenerationDefaults defaults = GenerationConfig.read(model, config.endTokens());
        // Shared, because any thread may compute with the weights and any may close the model.
        Arena arena = Arena.ofShared();
        try {
            TensorSource tensors =
                    SafetensorsCheckpoint.open(model, arena, done -> progress.accept(MAPPING_SHARE * done));
            ModelWeights weights = WeightResolver.resolve(
                    config, tensors, done -> progress.accept(MAPPING_SHARE + (1 - MAPPING_SHARE) * done));
            return new HuggingFaceModel(
                    model, actual(config.model(), weights), weights, defaults, arena, tensors.mappedBytes());
        } catch (Throwable e) {
            arena.close();
            throw e;
        }
    }

    private static HuggingFaceConfig read(Path model) {
        if (!Files.isDirectory(model)) {
            throw new ModelFormatException(model, Files.exists(model) ? "not a directory" : "no such directory");
        }
        return HuggingFaceConfig.read(model);
    }

    /** A file may bring an output projection of its own although its configuration says that it is tied. */
    private static ModelConfig actual(ModelConfig config, ModelWeights weights) {
        boolean tied = weights.output().weight().equals(weights.embedding());
        return new ModelConfig(
                config.architecture(),
                config.hidden(),
                config.vocabulary(),
                config.maxPositions(),
                config.normEpsilon(),
                tied,
                config.layers());
    }
}
