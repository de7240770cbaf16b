package org.pikv4j.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

class EscapedTextTest {
    private final EscapedText converter = new EscapedText();

    @Test
    void escapesStandForWhatIsHardToType() {
        assertThat(converter.convert("plain \u00e9")).isEqualTo("plain \u00e9");
        assertThat(converter.convert("a\\nb\\tc\\rd")).isEqualTo("a\nb\tc\rd");
        assertThat(converter.convert("\\\\n")).isEqualTo("\\n");
        assertThat(converter.convert("")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"\\", "a\\", "\\q", "\\\\\\"})
    void anythingElseIsRefused(String text) {
        assertThatThrownBy(() -> converter.convert(text))
                .isInstanceOf(TypeConversionException.class)
                .hasMessageContaining(text);
    }
}
