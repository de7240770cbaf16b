package org.pikv4j.text;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PluralTest {
    @Test
    void oneIsOne() {
        assertThat(Plural.of(0, "page")).isEqualTo("0 pages");
        assertThat(Plural.of(1, "page")).isEqualTo("1 page");
        assertThat(Plural.of(2048, "page")).isEqualTo("2,048 pages");
    }
}
