package org.pikv4j.cache.storage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class RelativeErrorTest {

    @Test
    void itIsTheNormOfTheDifferenceOverThatOfTheRows() {
        assertThat(RelativeError.of(new float[] {3, 4}, new float[] {3, 4})).isZero();
        assertThat(RelativeError.of(new float[] {3, 4}, new float[] {0, 0})).isEqualTo(1);
        assertThat(RelativeError.of(new float[] {3, -4, 0}, new float[] {3, -4, 0.5f}))
                .isEqualTo(0.1);
    }

    @Test
    void rowsOfZerosLoseNothing() {
        assertThat(RelativeError.of(new float[2], new float[2])).isZero();
    }

    @Test
    void differencesAreNotRounded() {
        // In float 1e9 − 1 is 1e9.
        assertThat(RelativeError.of(new float[] {1}, new float[] {1e9f})).isCloseTo(999_999_999.0, within(1e-6));
    }
}
