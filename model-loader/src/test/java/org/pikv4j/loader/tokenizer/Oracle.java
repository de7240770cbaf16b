package org.pikv4j.loader.tokenizer;

import ai.djl.engine.EngineException;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.Assumptions;

/** The Hugging Face library itself, native code behind DJL: what it says is right. */
final class Oracle implements AutoCloseable {
    private final HuggingFaceTokenizer tokenizer;

    private Oracle(HuggingFaceTokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /**
     * @param file a tokenizer.json
     * @return the oracle; where the native library cannot be loaded the test is skipped, with the reason
     */
    static Oracle open(Path file) throws IOException {
        System.setProperty("ai.djl.offline", "true");
        try {
            return new Oracle(HuggingFaceTokenizer.newInstance(
                    file, Map.of("truncation", "false", "padding", "false", "addSpecialTokens", "true")));
        } catch (LinkageError | EngineException e) {
            return Assumptions.abort("The oracle's native library cannot be loaded here: " + e);
        }
    }

    int[] encode(String text, boolean addSpecialTokens) {
        return Arrays.stream(tokenizer.encode(text, addSpecialTokens, false).getIds())
                .mapToInt(Math::toIntExact)
                .toArray();
    }

    String decode(int[] ids, boolean skipSpecialTokens) {
        return tokenizer.decode(Arrays.stream(ids).asLongStream().toArray(), skipSpecialTokens);
    }

    @Override
    public void close() {
        tokenizer.close();
    }
}
