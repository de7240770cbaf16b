package org.pikv4j.loader.tokenizer;

import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Path;
import java.util.Objects;
import java.util.stream.Collectors;

/** The tokenizers in the test resources; make_tokenizers.py beside them says how they were made. */
final class TestTokenizers {
    private TestTokenizers() {}

    static Path file(String name) throws URISyntaxException {
        URL resource = TestTokenizers.class.getResource("/tokenizers/" + name + ".json");
        return Path.of(Objects.requireNonNull(resource, name).toURI());
    }

    static HuggingFaceTokenizer load(String name) throws URISyntaxException {
        return HuggingFaceTokenizer.load(file(name));
    }

    /**
     * @return the seed of the randomised tests: -Dpikv.seed, or one that does not change
     */
    static long seed() {
        String seed = System.getProperty("pikv.seed", "");
        return seed.isBlank() ? 20_260_101 : Long.parseLong(seed);
    }

    static String escaped(String text) {
        return text.chars().mapToObj(c -> String.format("\\u%04x", c)).collect(Collectors.joining());
    }
}
