package org.pikv4j.calibration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.pikv4j.decode.AttentionRows;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.model.RopeSpec;

class StreamingErrorTest {
    private static final int TOKENS = 150;
    private static final AttentionSpec SPEC = new AttentionSpec(
            4,
            2,
            8,
            0.7f,
            AttentionSpec.FULL,
            new RopeSpec(1e4, 8),
            AttentionSpec.QkNorm.NONE,
            Float.POSITIVE_INFINITY);

    private final SplittableRandom random = new SplittableRandom(5);
    private final float[] queries = normal(TOKENS * SPEC.queryWidth());
    private final float[] keys = normal(TOKENS * SPEC.kvWidth());
    private final float[] values = normal(TOKENS * SPEC.kvWidth());

    private float[] normal(int count) {
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = (float) random.nextGaussian();
        }
        return numbers;
    }

    /** Attention of a query head to some tokens, by definition. */
    private double[] output(int row, int head, int[] tokens) {
        int d = SPEC.headDim();
        int kv = head / SPEC.group() * d;
        double[] weights = Arrays.stream(tokens)
                .mapToDouble(token -> Math.exp(SPEC.scale()
                        * IntStream.range(0, d)
                                .mapToDouble(i -> (double) queries[row * SPEC.queryWidth() + head * d + i]
                                        * keys[token * SPEC.kvWidth() + kv + i])
                                .sum()))
                .toArray();
        double sum = Arrays.stream(weights).sum();
        return IntStream.range(0, d)
                .mapToDouble(i -> IntStream.range(0, tokens.length)
                        .mapToDouble(t -> weights[t] / sum * values[tokens[t] * SPEC.kvWidth() + kv + i])
                        .sum())
                .toArray();
    }

    @Test
    void isWhatHeadsLoseHoweverTheTextIsCut() {
        float[] attended = new float[TOKENS * SPEC.queryWidth()];
        double[] lost = new double[2];
        double[] all = new double[2];
        for (int row = 0; row < TOKENS; row++) {
            int newest = row;
            int[] streaming = IntStream.rangeClosed(0, row)
                    .filter(token -> token < 4 || token > newest - 32)
                    .toArray();
            for (int head = 0; head < SPEC.heads(); head++) {
                double[] exact = output(row, head, IntStream.rangeClosed(0, row).toArray());
                double[] less = output(row, head, streaming);
                for (int i = 0; i < exact.length; i++) {
                    attended[row * SPEC.queryWidth() + head * SPEC.headDim() + i] = (float) exact[i];
                    if (row >= 36) {
                        lost[head / 2] += (exact[i] - less[i]) * (exact[i] - less[i]);
                        all[head / 2] += exact[i] * exact[i];
                    }
                }
            }
        }
        for (int chunk : new int[] {1, 7, 64, TOKENS}) {
            StreamingError error = new StreamingError(SPEC);
            for (int text = 0; text < 2; text++) { // a second one begins anew
                for (int from = 0; from < TOKENS; from += chunk) {
                    int count = Math.min(chunk, TOKENS - from);
                    error.add(new AttentionRows(
                            0, SPEC, from, from, count, queries, keys, values, attended, (row, kvHead) -> new int[0]));
                }
            }
            for (int head = 0; head < 2; head++) {
                assertThat((double) error.byHead()[head]).isCloseTo(lost[head] / all[head], within(1e-5));
            }
        }
    }
}
