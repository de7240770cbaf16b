package org.pikv4j.bench.quality;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.model.RopeSpec;

class ExactAttentionTest {

    @Test
    void whatIsBehindTheLastStepReceivesNothing() {
        int document = 3;
        int steps = 2;
        AttentionSpec spec = new AttentionSpec(
                2,
                2,
                4,
                1,
                AttentionSpec.FULL,
                new RopeSpec(1e4, 4),
                AttentionSpec.QkNorm.NONE,
                Float.POSITIVE_INFINITY);
        ExactAttention exact = new ExactAttention(document, steps);
        exact.add(spec, new float[steps * spec.queryWidth()], new float[(document + steps) * spec.kvWidth()]);
        for (int kvHead = 0; kvHead < 2; kvHead++) {
            assertThat(exact.probability(0, 0, kvHead, 3)).isEqualTo(0.25f);
            assertThat(exact.probability(0, 0, kvHead, 4)).isZero();
            assertThat(exact.probability(0, 1, kvHead, 4)).isEqualTo(0.2f);
            // The next head's numbers, or none, would be there.
            assertThat(exact.probability(0, 1, kvHead, 5)).isZero();
            assertThat(exact.probability(0, 0, kvHead, 7)).isZero();
        }
    }
}
