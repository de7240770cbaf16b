package org.pikv4j.cache.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.pikv4j.TestSeeds;

class TokenErrorsTest {

    /** For one query, where o′ is known exactly, p·|o′ − v| is what evicting a token does: p/(1−p)·|o − v|. */
    @Test
    void droppingATokenChangesTheOutputByAsMuch() {
        long seed = TestSeeds.seed();
        SplittableRandom random = new SplittableRandom(seed);
        int width = 8;
        int tokens = 6;
        float[] values = TestSeeds.normal(random, tokens * width);
        float[] shares = new float[tokens];
        float sum = 0;
        for (int t = 0; t < tokens; t++) {
            shares[t] = (float) random.nextDouble(0.1, 1);
            sum += shares[t];
        }
        for (int gone = 0; gone < tokens; gone++) {
            TokenErrors others = new TokenErrors(width);
            double[] output = new double[width];
            double[] without = new double[width];
            for (int t = 0; t < tokens; t++) {
                float share = shares[t] / sum;
                for (int i = 0; i < width; i++) {
                    output[i] += share * values[t * width + i];
                    without[i] += t == gone ? 0 : share / (1 - shares[gone] / sum) * values[t * width + i];
                }
                if (t != gone) {
                    others.see(share, values, t);
                }
            }
            double change = 0;
            for (int i = 0; i < width; i++) {
                change += (without[i] - output[i]) * (without[i] - output[i]);
            }
            assertThat((double) others.without(shares[gone] / sum, values, gone))
                    .as(TestSeeds.repeat(seed))
                    .isCloseTo(Math.sqrt(change), within(1e-5));
        }
    }

    @Test
    void whatIsNoNumberIsWorthEverything() {
        TokenErrors errors = new TokenErrors(2);
        float[] values = {1, 2, Float.NaN, 0};
        errors.see(1, values, 0);
        assertThat(errors.without(0.5f, values, 1)).isEqualTo(Float.MAX_VALUE);
        assertThat(errors.weight(0.5f, values, 1)).isEqualTo(Float.MAX_VALUE);
        assertThat(errors.weight(0.5f, values, 0)).isCloseTo((float) Math.sqrt(5) / 2, within(1e-6f));
    }
}
