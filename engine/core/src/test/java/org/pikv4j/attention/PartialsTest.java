package org.pikv4j.attention;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.pikv4j.TestSeeds;

class PartialsTest {
    private static final int HEAD_DIM = 5;

    /** Folds one token into an entry, by the definition. */
    private static void token(Partials partials, int scratch, int entry, float score, float[] value) {
        partials.maxima()[scratch] = score;
        partials.sums()[scratch] = 1f;
        System.arraycopy(value, 0, partials.outputs(), scratch * HEAD_DIM, HEAD_DIM);
        partials.merge(entry, scratch);
    }

    @Test
    void anyGroupingGivesTheSoftmax() {
        long seed = TestSeeds.seed();
        SplittableRandom random = new SplittableRandom(seed);
        for (int round = 0; round < 500; round++) {
            int count = 1 + random.nextInt(40);
            int parts = 1 + random.nextInt(6);
            float spread = (float) Math.pow(10, random.nextInt(4) - 1);
            Partials partials = new Partials(HEAD_DIM);
            partials.reset(parts + 1);
            double max = Double.NEGATIVE_INFINITY;
            float[] scores = TestSeeds.normal(random, count);
            float[][] values = new float[count][];
            for (int i = 0; i < count; i++) {
                scores[i] *= spread;
                values[i] = TestSeeds.normal(random, HEAD_DIM);
                max = Math.max(max, scores[i]);
                token(partials, parts, random.nextInt(parts), scores[i], values[i]);
            }
            for (int p = 1; p < parts; p++) {
                partials.merge(0, p);
            }
            float[] out = new float[HEAD_DIM];
            partials.normalise(0, out, 0);
            for (int d = 0; d < HEAD_DIM; d++) {
                double sum = 0;
                double total = 0;
                for (int i = 0; i < count; i++) {
                    double weight = Math.exp(scores[i] - max);
                    total += weight;
                    sum += weight * values[i][d];
                }
                assertThat((double) out[d]).as(TestSeeds.repeat(seed)).isCloseTo(sum / total, within(2e-5));
            }
        }
    }

    @Test
    void nothingAttendedToIsZero() {
        Partials partials = new Partials(HEAD_DIM);
        partials.reset(2);
        partials.merge(0, 1);
        float[] out = {1, 1, 1, 1, 1};
        partials.normalise(0, out, 0);
        assertThat(out).containsOnly(0f);
    }
}
