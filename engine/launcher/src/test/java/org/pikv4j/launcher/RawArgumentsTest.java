package org.pikv4j.launcher;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.CharacterCodingException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RawArgumentsTest {
    @ParameterizedTest
    @ValueSource(strings = {"", "plain", "C:\\dir\\u0041", "na\u00efve \u4e16\u754c", "\ud83d\ude00 \\n"})
    void escapingIsAsciiAndCanBeUndone(String text) {
        String escaped = RawArguments.escape(text);
        assertThat(escaped).matches("\\p{ASCII}*");
        assertThat(RawArguments.unescape(escaped)).isEqualTo(text);
    }

    @Test
    void aCommandLineIsReadWithItsEmptyArguments() throws Exception {
        assertThat(RawArguments.parse("java\0-jar\0\0\u00fc\0".getBytes(UTF_8)))
                .containsExactly("java", "-jar", "", "\u00fc");
    }

    @Test
    void whatIsNoUtf8IsLeftToTheJvm() {
        assertThatThrownBy(() -> RawArguments.parse(new byte[] {(byte) 0xfc, 0}))
                .isInstanceOf(CharacterCodingException.class);
    }
}
