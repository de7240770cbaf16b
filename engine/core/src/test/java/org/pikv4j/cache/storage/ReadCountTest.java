package org.pikv4j.cache.storage;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ReadCountTest {
    @Test
    void whatWasReadBeforeCountsHalfInEachEpoch() {
        ReadCount count = new ReadCount();
        count.add(600, 3);
        count.add(200, 3);
        assertThat(count.bytes(3)).isEqualTo(800);
        assertThat(count.bytes(5)).isEqualTo(200);
        count.add(1, 5);
        assertThat(count.bytes(5)).isEqualTo(201);
        assertThat(count.bytes(6)).isEqualTo(100);
        assertThat(count.bytes(1000)).isZero();
    }
}
