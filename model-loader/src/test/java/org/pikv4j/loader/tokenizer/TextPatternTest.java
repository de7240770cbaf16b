package org.pikv4j.loader.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Patterns and texts that would bring down a careless matcher; what patterns mean is checked against the oracle. */
class TextPatternTest {

    @ParameterizedTest
    @ValueSource(strings = {"(?:a|b)+", "(?:a|b)*c", "(?:ab?)+?$", "(?:(?:a)|(?:b)|ab)*"})
    void recursesAsDeepAsALongTextNeeds(String regex) {
        String text = "ab".repeat(150_000);
        assertThat(TextPattern.regex(regex).segments(text))
                .isNotEmpty()
                .allMatch(segment -> segment.end() <= text.length());
    }

    @Test
    void endsCatastrophicBacktracking() {
        TextPattern pattern = TextPattern.regex("a*a*a*a*a*a*b");
        assertThatExceptionOfType(TokenizerDefectException.class)
                .isThrownBy(() -> pattern.segments("a".repeat(1_000)))
                .withMessageContaining("too many steps");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "(",
                ")",
                "[",
                "[]",
                "[a",
                "a{2,1}",
                "*",
                "|+",
                "(?",
                "(?x:a)",
                "(?<",
                "(?<n",
                "\\",
                "\\1",
                "\\k<a>",
                "\\G",
                "\\X",
                "\\p",
                "\\p{",
                "\\p{Nonsense}",
                "[[:nonsense:]]",
                "[z-a]",
                "\\x{110000}",
                "\\x4",
                "\\u12",
                "a{100001}"
            })
    void refusesWhatItCannotTranslate(String regex) {
        assertThatExceptionOfType(TokenizerDefectException.class).isThrownBy(() -> TextPattern.regex(regex));
    }

    @Test
    void refusesDeepNestingAndLongPatterns() {
        for (String regex : new String[] {
            "(".repeat(4_000) + ")".repeat(4_000), "[".repeat(4_000) + "a" + "]".repeat(4_000), "a".repeat(20_000)
        }) {
            assertThatExceptionOfType(TokenizerDefectException.class).isThrownBy(() -> TextPattern.regex(regex));
        }
        assertThat(TextPattern.regex("a?".repeat(5_000)).segments("aaa")).isNotEmpty();
    }
}
