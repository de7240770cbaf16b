package org.pikv4j.model;

import java.nio.file.Path;
import java.util.Optional;
import org.pikv4j.text.ChatTemplate;
import org.pikv4j.text.Tokenizer;

/**
 * A model ready to run. Owns the mapping of its files: the weights are valid until {@link #close()}, which must not run
 * while a forward pass does. A model may serve many sessions.
 */
public interface LoadedModel extends AutoCloseable {

    /**
     * @return the directory it was read from
     */
    Path directory();

    ModelConfig config();

    ModelWeights weights();

    /**
     * @return the tokenizer; throws {@link org.pikv4j.error.ModelFormatException} naming the file where there is none
     */
    Tokenizer tokenizer();

    /**
     * @return whether there is a tokenizer; without one, sessions work on token ids alone
     */
    boolean hasTokenizer();

    Optional<ChatTemplate> chatTemplate();

    GenerationDefaults generationDefaults();

    /**
     * @return bytes of weights mapped
     */
    long weightBytes();

    @Override
    void close();
}
