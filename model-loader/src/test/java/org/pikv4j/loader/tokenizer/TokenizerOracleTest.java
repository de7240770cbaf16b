package org.pikv4j.loader.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The same ids and the same text as the Hugging Face library, on 100,000 random strings over tokenizers in the style of
 * each family.
 */
class TokenizerOracleTest {
    private static final int STRINGS = 11_200;

    @ParameterizedTest
    @ValueSource(
            strings = {"recall-moe", "llama2", "mistral", "llama3", "qwen3", "olmoe", "gpt2", "gpt-oss", "deepseek-v3"})
    void encodesAndDecodesLikeTheHuggingFaceLibrary(String name) throws Exception {
        Path file = TestTokenizers.file(name);
        HuggingFaceTokenizer tokenizer = HuggingFaceTokenizer.load(file);
        long seed = TestTokenizers.seed();
        RandomText texts = new RandomText(seed, tokens(tokenizer, seed));
        try (Oracle oracle = Oracle.open(file)) {
            for (int i = 0; i < STRINGS; i++) {
                compare(tokenizer, oracle, texts, "string " + i + " of " + name + ", -Dpikv.seed=" + seed);
            }
        }
    }

    static void compare(HuggingFaceTokenizer tokenizer, Oracle oracle, RandomText texts, String place) {
        String text = texts.next();
        Random random = texts.random();
        boolean special = random.nextBoolean();
        int[] expected = oracle.encode(text, special);
        assertThat(tokenizer.encode(text, special))
                .as("%s: ids of <%s> %s", place, text, TestTokenizers.escaped(text))
                .containsExactly(expected);
        int[] ids = random.nextInt(4) == 0 ? randomIds(tokenizer, random) : expected;
        boolean skip = random.nextBoolean();
        assertThat(tokenizer.decode(ids, skip))
                .as("%s: text of %s, skipping special tokens: %s", place, Arrays.toString(ids), skip)
                .isEqualTo(oracle.decode(ids, skip));
    }

    private static int[] randomIds(HuggingFaceTokenizer tokenizer, Random random) {
        return random.ints(random.nextInt(20), 0, tokenizer.vocabularySize() + 5)
                .toArray();
    }

    private static List<String> tokens(HuggingFaceTokenizer tokenizer, long seed) {
        List<String> tokens = new ArrayList<>();
        Random random = new Random(seed);
        for (int id = 0; id < tokenizer.vocabularySize(); id++) {
            String text = tokenizer.decode(new int[] {id}, false);
            // All special tokens, since they are few, and some of the others.
            if (!text.isEmpty() && (tokenizer.isSpecial(id) || random.nextInt(20) == 0)) {
                tokens.add(text);
            }
        }
        return tokens;
    }
}
