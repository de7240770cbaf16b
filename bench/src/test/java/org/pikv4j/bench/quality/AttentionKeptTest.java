package org.pikv4j.bench.quality;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.model.RopeSpec;

/** Hit rate, mass and share read against full matrices. */
class AttentionKeptTest {
    private static final int DOCUMENT = 11;
    private static final int STEPS = 4;
    private static final int HEADS = 6;
    private static final int KV_HEADS = 2;
    private static final int DIM = 8;

    private final SplittableRandom random = new SplittableRandom(3);
    private final float[] queries = normal(STEPS * HEADS * DIM);
    private final float[] keys = normal((DOCUMENT + STEPS) * KV_HEADS * DIM);

    private float[] normal(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    private static AttentionSpec spec(int window) {
        return new AttentionSpec(
                HEADS,
                KV_HEADS,
                DIM,
                0.7f,
                window,
                new RopeSpec(1e4, DIM),
                AttentionSpec.QkNorm.NONE,
                Float.POSITIVE_INFINITY);
    }

    private ExactAttention exact(int window) {
        ExactAttention exact = new ExactAttention(DOCUMENT, STEPS);
        exact.add(spec(window), queries, keys);
        return exact;
    }

    /** Of all positions, zero where the step does not see them. */
    private double[] naive(int window, int step, int kvHead) {
        double[] mean = new double[DOCUMENT + STEPS];
        int group = HEADS / KV_HEADS;
        for (int head = kvHead * group; head < (kvHead + 1) * group; head++) {
            double[] weights = new double[mean.length];
            double sum = 0;
            for (int t = 0; t < mean.length; t++) {
                int distance = DOCUMENT + step - t;
                if (distance >= 0 && distance < window) {
                    double dot = 0;
                    for (int d = 0; d < DIM; d++) {
                        dot += queries[(step * HEADS + head) * DIM + d]
                                * (double) keys[(t * KV_HEADS + kvHead) * DIM + d];
                    }
                    weights[t] = Math.exp(0.7 * dot);
                    sum += weights[t];
                }
            }
            for (int t = 0; t < mean.length; t++) {
                mean[t] += weights[t] / sum / group;
            }
        }
        return mean;
    }

    @ParameterizedTest
    @ValueSource(ints = {AttentionSpec.FULL, 5})
    void whatIsThereIsCounted(int window) {
        AttentionKept kept = new AttentionKept(exact(window));
        int samples = 0;
        int hits = 0;
        double mass = 0;
        double read = 0;
        for (int step = 0; step < STEPS; step++) {
            for (int head = 0; head < KV_HEADS; head++) {
                int last = DOCUMENT + step;
                int first = Math.max(0, last - Math.min(window, 100) + 1);
                int[] positions = IntStream.rangeClosed(first, last)
                        .filter(t -> t == last || random.nextBoolean())
                        .toArray();
                kept.add(0, step, head, positions);
                double[] exact = naive(window, step, head);
                int top = IntStream.range(0, exact.length).reduce(0, (a, b) -> exact[b] > exact[a] ? b : a);
                hits += IntStream.of(positions).anyMatch(t -> t == top) ? 1 : 0;
                mass += IntStream.of(positions).mapToDouble(t -> exact[t]).sum();
                read += (double) positions.length / (last - first + 1);
                samples++;
            }
        }
        assertThat(hits).as("the case tells hits from misses").isBetween(1, samples - 1);
        assertThat(kept.hitRate()).isEqualTo((double) hits / samples);
        assertThat(kept.mass()).isCloseTo(mass / samples, within(1e-5));
        assertThat(kept.read()).isCloseTo(read / samples, within(1e-9));
    }

    @ParameterizedTest
    @ValueSource(ints = {AttentionSpec.FULL, 5})
    void allOfItIsOne(int window) {
        AttentionKept kept = new AttentionKept(exact(window));
        for (int step = 0; step < STEPS; step++) {
            // A cache may hold what has left the window, too.
            kept.add(0, step, 1, IntStream.rangeClosed(0, DOCUMENT + step).toArray());
        }
        assertThat(kept.hitRate()).isEqualTo(1);
        assertThat(kept.mass()).isCloseTo(1, within(1e-5));
        assertThat(kept.read()).isEqualTo(1);
    }
}
