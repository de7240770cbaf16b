package org.pikv4j.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pikv4j.error.InvalidOptionException;

class ByteSizeTest {

    @ParameterizedTest
    @CsvSource({
        "1048576, 1048576",
        "512MiB, 536870912",
        "512mb, 536870912",
        "2g, 2147483648",
        "1.5 KiB, 1536",
        "0, 0",
        "7B, 7",
        "1TiB, 1099511627776"
    })
    void parses(String text, long bytes) {
        assertThat(ByteSize.parse(text)).isEqualTo(bytes);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "MiB", "-1", "12q", "1e9", "99999999999TiB", "1,5M", "1024tok", "25%"})
    void refusesWhatIsNoSize(String text) {
        assertThatThrownBy(() -> ByteSize.parse(text))
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("'" + text + "'");
    }

    @Test
    void formatsWithThreeDigits() {
        assertThat(ByteSize.format(0)).isEqualTo("0 B");
        assertThat(ByteSize.format(1023)).isEqualTo("1023 B");
        assertThat(ByteSize.format(1536)).isEqualTo("1.50 KiB");
        assertThat(ByteSize.format(536870912)).isEqualTo("512 MiB");
        assertThat(ByteSize.format((1L << 30) - 1)).isEqualTo("1.00 GiB");
    }
}
