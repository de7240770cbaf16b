package org.pikv4j.decode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pikv4j.TestSeeds;
import org.pikv4j.backend.ExpertAssignment;
import org.pikv4j.model.FeedForwardSpec;

class ExpertGateTest {
    private static final int ROWS = 9;
    private static final int EXPERTS = 6;
    private static final int TOP_K = 2;

    private final long seed = TestSeeds.seed();
    private final SplittableRandom random = new SplittableRandom(seed);

    /** Chosen by gate and bias, weighed by the gate alone. */
    @ParameterizedTest
    @CsvSource({"false, false", "false, true", "true, false", "true, true"})
    void choosesWithTheBiasAndWeighsWithout(boolean renormalise, boolean biased) {
        float[] logits = TestSeeds.normal(random, ROWS * EXPERTS);
        float[] bias = biased ? TestSeeds.normal(random, ROWS * EXPERTS) : new float[0];
        double[][] gates = new double[ROWS][EXPERTS];
        for (int row = 0; row < ROWS; row++) {
            double sum = 0;
            for (int e = 0; e < EXPERTS; e++) {
                gates[row][e] = Math.exp(logits[row * EXPERTS + e]);
                sum += gates[row][e];
            }
            for (int e = 0; e < EXPERTS; e++) {
                gates[row][e] /= sum;
            }
        }
        ExpertAssignment assignment = new ExpertAssignment();
        ExpertGate.choose(
                ROWS,
                logits,
                new FeedForwardSpec.Sparse(EXPERTS, TOP_K, 8, renormalise, OptionalInt.empty()),
                bias,
                assignment);
        for (int row = 0; row < ROWS; row++) {
            int r = row;
            List<Integer> chosen = IntStream.range(0, EXPERTS)
                    .boxed()
                    .sorted(Comparator.comparingDouble(
                            (Integer e) -> -(gates[r][e] + (biased ? bias[r * EXPERTS + e] : 0))))
                    .limit(TOP_K)
                    .sorted()
                    .toList();
            double sum = chosen.stream().mapToDouble(e -> gates[r][e]).sum();
            List<Integer> found = new ArrayList<>();
            for (int e = 0; e < EXPERTS; e++) {
                for (int slot = assignment.start(e); slot < assignment.end(e); slot++) {
                    if (assignment.slotRows()[slot] == row) {
                        found.add(e);
                        assertThat((double) assignment.slotWeights()[slot])
                                .as(TestSeeds.repeat(seed))
                                .isCloseTo(gates[row][e] / (renormalise ? sum : 1), within(1e-6));
                    }
                }
            }
            assertThat(found).as(TestSeeds.repeat(seed)).isEqualTo(chosen);
        }
    }
}
