package org.pikv4j.loader.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pikv4j.text.TokenStream;

/** What can be said without the oracle, which needs native code. */
class HuggingFaceTokenizerTest {

    /** The ids are those of Hugging Face tokenizers 0.23 for Python. */
    @ParameterizedTest
    @CsvSource({
        "deepseek-v3, 800 420 421 330 220 441 767 550 220 162 120 95 619 245 388 233 198 220 220 403",
        "gpt-oss, 424 425 331 220 443 771 558 220 162 120 95 627 245 391 233 198 220 220 406",
        "gpt2, 422 413 335 779 754 545 220 162 120 95 606 245 393 233 198 220 220 407",
        "llama2, 1 534 529 483 456 271 451 297 198 178 502 403 233 191 165 232 176 154 403 243 162 148 142 13 403 403 524",
        "llama3, 804 422 423 331 220 443 764 549 220 162 120 95 617 245 388 233 198 220 220 404",
        "mistral, 1 533 527 483 474 53 451 298 198 178 502 409 233 191 165 232 176 154 409 243 162 148 142 13 409 409 524",
        "olmoe, 420 421 333 780 756 543 220 162 120 95 605 245 387 233 198 813 403",
        "qwen3, 421 422 331 220 16 17 758 543 220 162 120 95 611 245 387 233 198 220 220 403",
        "recall-moe, 1 54 259 335 81 90 9 85 555 20 323 67 130 110 88 71 223 165 123 98 164 258 248 223 175 256 242 236 201"
                + " 223 223 334 70"
    })
    void encodesAndDecodesASentence(String name, String ids) throws Exception {
        HuggingFaceTokenizer tokenizer = TestTokenizers.load(name);
        String text = "The fox's 12 naïve 漢字 👋\n  end";
        int[] expected =
                Arrays.stream(ids.split(" ")).mapToInt(Integer::parseInt).toArray();
        assertThat(tokenizer.encode(text, true)).containsExactly(expected);
        // GPT-2's tokenizer here has add_prefix_space.
        assertThat(tokenizer.decode(expected, true)).isEqualTo(name.equals("gpt2") ? " " + text : text);
    }

    @Test
    void knowsItsVocabulary() throws Exception {
        HuggingFaceTokenizer tokenizer = TestTokenizers.load("qwen3");
        int start = tokenizer.id("<|im_start|>").orElseThrow();
        int think = tokenizer.id("<think>").orElseThrow();
        assertThat(tokenizer.vocabularySize()).isEqualTo(807);
        assertThat(tokenizer.isSpecial(start)).isTrue();
        assertThat(tokenizer.isSpecial(think)).isFalse();
        assertThat(tokenizer.isSpecial(5)).isFalse();
        assertThat(tokenizer.isSpecial(-1)).isFalse();
        assertThat(tokenizer.id("no such token")).isEmpty();
        assertThat(tokenizer.encode("<|im_start|>user", false)).startsWith(start);
        assertThat(tokenizer.decode(new int[] {start, think, 1_000_000, -5}, true))
                .isEqualTo("<think>");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"recall-moe", "llama2", "mistral", "llama3", "qwen3", "olmoe", "gpt2", "gpt-oss", "deepseek-v3"})
    void streamsTheTextOfTheWholeWithoutHalfCharacters(String name) throws Exception {
        HuggingFaceTokenizer tokenizer = TestTokenizers.load(name);
        Random random = new Random(TestTokenizers.seed());
        for (int round = 0; round < 500; round++) {
            int[] ids = round % 2 == 0
                    ? tokenizer.encode(new RandomText(round, List.of("👋", "漢")).next(), true)
                    : random.ints(30, 0, tokenizer.vocabularySize()).toArray();
            boolean skip = random.nextBoolean();
            TokenStream stream = tokenizer.stream(skip);
            StringBuilder text = new StringBuilder();
            for (int i = 0; i <= ids.length; i++) {
                String more = i < ids.length ? stream.accept(ids[i]) : stream.finish();
                assertThat(Utf8.wellFormed(more)).isEqualTo(more);
                text.append(more);
                // What was emitted stays, whatever follows.
                assertThat(tokenizer.decode(ids, skip)).startsWith(text);
            }
            assertThat(text).hasToString(tokenizer.decode(ids, skip));
        }
    }

    @Test
    void holdsBackOnlyWhatIsIncomplete() throws Exception {
        HuggingFaceTokenizer tokenizer = TestTokenizers.load("qwen3");
        TokenStream stream = tokenizer.stream(true);
        List<String> emitted = IntStream.of(tokenizer.encode("a👋b", false))
                .mapToObj(stream::accept)
                .toList();
        assertThat(emitted.getFirst()).isEqualTo("a");
        assertThat(emitted.getLast()).isEqualTo("b");
        assertThat(emitted).contains("👋").containsOnly("a", "", "👋", "b");
        assertThat(stream.finish()).isEmpty();
    }

    @Test
    void takesUnpairedSurrogatesAsReplacementCharacters() throws Exception {
        HuggingFaceTokenizer tokenizer = TestTokenizers.load("qwen3");
        assertThat(tokenizer.encode("a\ud83d b\udc4b\ud83d\udc4b", false))
                .containsExactly(tokenizer.encode("a\ufffd b\ufffd👋", false));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"recall-moe", "llama2", "mistral", "llama3", "qwen3", "olmoe", "gpt2", "gpt-oss", "deepseek-v3"})
    void encodesLongMonotonousText(String name) throws Exception {
        HuggingFaceTokenizer tokenizer = TestTokenizers.load(name);
        for (String unit : List.of("a", " ", "\n", "é", "👋", "漢", "'s", "<", "<s>", "0", "The quick brown fox. ")) {
            String text = unit.repeat(100_000 / unit.length());
            assertThat(tokenizer.decode(tokenizer.encode(text, false), false).strip())
                    .as("%s", unit)
                    .isEqualTo(text.strip());
        }
        assertThat(tokenizer.encode("a".repeat(1_000_000), false)).isNotEmpty();
    }

    @Test
    void manyThreadsMayUseIt() throws Exception {
        HuggingFaceTokenizer tokenizer = TestTokenizers.load("llama3");
        List<String> texts = new ArrayList<>();
        RandomText random = new RandomText(TestTokenizers.seed(), List.of("the", " fox"));
        for (int i = 0; i < 2_000; i++) {
            texts.add(random.next());
        }
        List<int[]> expected =
                texts.stream().map(t -> tokenizer.encode(t, true)).toList();
        HuggingFaceTokenizer fresh = TestTokenizers.load("llama3");
        List<int[]> parallel =
                texts.parallelStream().map(t -> fresh.encode(t, true)).toList();
        assertThat(parallel).usingRecursiveComparison().isEqualTo(expected);
    }
}
