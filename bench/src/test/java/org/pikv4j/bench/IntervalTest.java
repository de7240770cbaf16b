package org.pikv4j.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class IntervalTest {

    @Test
    void theBootstrapOfMeansAgreesWithTheNormalOne() {
        SplittableRandom random = new SplittableRandom(7);
        double[] values = random.doubles(400).toArray();
        double mean = Arrays.stream(values).average().orElseThrow();
        double deviation = Math.sqrt(Arrays.stream(values)
                .map(v -> (v - mean) * (v - mean))
                .average()
                .orElseThrow());
        double reach = 1.96 * deviation / Math.sqrt(values.length);
        Interval interval = Interval.ofMean(values, 1);
        assertThat(interval.low()).isCloseTo(mean - reach, within(0.1 * reach));
        assertThat(interval.high()).isCloseTo(mean + reach, within(0.1 * reach));
    }

    @Test
    void equalSeedsGiveEqualIntervals() {
        double[] values = new SplittableRandom(5).doubles(40).toArray();
        assertThat(Interval.ofMean(values, 3)).isEqualTo(Interval.ofMean(values, 3));
        assertThat(Interval.ofMean(values, 3)).isNotEqualTo(Interval.ofMean(values, 4));
        assertThat(Interval.ofMean(new double[] {0.5, 0.5}, 1)).isEqualTo(new Interval(0.5, 0.5));
    }
}
