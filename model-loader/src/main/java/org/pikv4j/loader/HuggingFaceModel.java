package org.pikv4j.loader;

import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.pikv4j.loader.chat.ChatTemplates;
import org.pikv4j.loader.tokenizer.HuggingFaceTokenizer;
import org.pikv4j.model.GenerationDefaults;
import org.pikv4j.model.LoadedModel;
import org.pikv4j.model.ModelConfig;
import org.pikv4j.model.ModelWeights;
import org.pikv4j.text.ChatTemplate;
import org.pikv4j.text.Tokenizer;

/** A model whose weights are views of mapped files. The tokenizer and the chat template are read when
 * they are first asked for. */
final class HuggingFaceModel implements LoadedModel {
    private static final String TOKENIZER = "tokenizer.json";

    private final Path directory;
    private final ModelConfig config;
    private final ModelWeights weights;
    private final GenerationDefaults generationDefaults;
    private final Arena arena;
    private final long weightBytes;
    private final Lazy<Tokenizer> tokenizer;
    private final Lazy<Optional<ChatTemplate>> chatTemplate;

    /**
     * @param arena owns the mappings and is closed with the model
     * @param weightBytes bytes mapped
     */
    HuggingFaceModel(
            Path directory,
            ModelConfig config,
            ModelWeights weights,
            GenerationDefaults generationDefaults,
            Arena arena,
            long weightBytes) {
        this.directory = directory;
        this.config = config;
        this.weights = weights;
        this.generationDefaults = generationDefaults;
        this.arena = arena;
        this.weightBytes = weightBytes;
        tokenizer = new Lazy<>(() -> HuggingFaceTokenizer.load(directory.resolve(TOKENIZER)));
        chatTemplate = new Lazy<>(() -> ChatTemplates.load(directory));
    }

    @Override
    public Path directory() {
        return directory;
    }

    @Override
    public ModelConfig config() {
        return config;
    }

    @Override
    public ModelWeights weights() {
        return weights;
    }

    @Override
    public Tokenizer tokenizer() {
        return tokenizer.get();
    }

    @Override
    public Optional<ChatTemplate> chatTemplate() {
        return chatTemplate.get();
    }

    @Override
    public GenerationDefaults generationDefaults() {
        return generationDefaults;
    }

    @Override
    public boolean hasTokenizer() {
        return Files.exists(directory.resolve(TOKENIZER));
    }

    @Override
    public long weightBytes() {
        return weightBytes;
    }

    @Override
    public synchronized void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
