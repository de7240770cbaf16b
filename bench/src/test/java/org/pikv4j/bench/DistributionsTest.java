package org.pikv4j.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class DistributionsTest {
    private static final float[] EXACT = {0, 1, 2, 0.5f, -1, 3};
    private static final float[] OTHER = {0.5f, 1, 1, 2, 0, -2};

    private static Distributions of(float[] logits) {
        Distributions distributions = new Distributions(2, 3);
        distributions.set(0, logits, 0);
        distributions.set(1, logits, 3);
        return distributions;
    }

    private static double[] softmax(float[] logits, int from) {
        double[] p = new double[3];
        double sum = 0;
        for (int i = 0; i < 3; i++) {
            p[i] = Math.exp(logits[from + i]);
            sum += p[i];
        }
        for (int i = 0; i < 3; i++) {
            p[i] /= sum;
        }
        return p;
    }

    private static double divergence(int from) {
        double[] p = softmax(EXACT, from);
        double[] q = softmax(OTHER, from);
        double sum = 0;
        for (int i = 0; i < 3; i++) {
            sum += p[i] * Math.log(p[i] / q[i]);
        }
        return sum;
    }

    @Test
    void theDivergenceIsTheMeanOverRows() {
        assertThat(of(EXACT).divergence(of(OTHER))).isCloseTo((divergence(0) + divergence(3)) / 2, within(1e-6));
        assertThat(of(EXACT).from(1).divergence(of(OTHER).from(1))).isCloseTo(divergence(3), within(1e-6));
        assertThat(of(EXACT).divergence(of(EXACT))).isZero();
    }

    @Test
    void rowsAgreeWhereTheLikeliestIsTheSame() {
        float[] half = {0, 1, 2, 9, 0, 0};
        assertThat(of(EXACT).agreement(of(half))).isEqualTo(0.5);
        assertThat(of(EXACT).agreement(of(EXACT))).isEqualTo(1);
    }
}
