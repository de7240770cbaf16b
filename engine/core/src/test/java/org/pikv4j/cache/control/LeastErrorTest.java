package org.pikv4j.cache.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.pikv4j.TestSeeds;

class LeastErrorTest {

    @Test
    void takesTheCheapestStepThereIsAgainAndAgain() {
        long seed = TestSeeds.seed();
        SplittableRandom random = new SplittableRandom(seed);
        for (int round = 0; round < 500; round++) {
            List<Curve> curves = curves(random);
            long most = curves.stream()
                    .mapToLong(c -> c.bytes()[c.bytes().length - 1])
                    .sum();
            long wanted = random.nextLong(0, most + 10);
            LeastError chosen = LeastError.of(curves, wanted);
            assertThat(chosen.levels()).as(TestSeeds.repeat(seed)).containsExactly(naive(curves, wanted));
            long bytes = 0;
            double error = 0;
            for (int i = 0; i < curves.size(); i++) {
                bytes += curves.get(i).bytes()[chosen.levels()[i]];
                error += curves.get(i).errors()[chosen.levels()[i]];
            }
            assertThat(chosen.bytes()).isEqualTo(bytes).isGreaterThanOrEqualTo(Math.min(wanted, most));
            assertThat(chosen.error()).isCloseTo(error, within(1e-9 * (1 + error)));
        }
    }

    /** By definition: over all curves and all of their higher levels, the least error for each byte; of equals the first, and the nearest. */
    private static int[] naive(List<Curve> curves, long wanted) {
        int[] levels = new int[curves.size()];
        long bytes = 0;
        while (bytes < wanted) {
            int curve = -1;
            int level = 0;
            double least = Double.POSITIVE_INFINITY;
            for (int i = 0; i < levels.length; i++) {
                Curve one = curves.get(i);
                for (int to = levels[i] + 1; to < one.bytes().length; to++) {
                    double price =
                            (one.errors()[to] - one.errors()[levels[i]]) / (one.bytes()[to] - one.bytes()[levels[i]]);
                    if (price < least) {
                        curve = i;
                        level = to;
                        least = price;
                    }
                }
            }
            if (curve < 0) {
                break;
            }
            bytes += curves.get(curve).bytes()[level] - curves.get(curve).bytes()[levels[curve]];
            levels[curve] = level;
        }
        return levels;
    }

    /** Whole numbers, so that many are equally cheap. */
    private static List<Curve> curves(SplittableRandom random) {
        List<Curve> curves = new ArrayList<>();
        for (int i = random.nextInt(1, 8); i > 0; i--) {
            int levels = random.nextInt(1, 6);
            long[] bytes = new long[levels];
            double[] errors = new double[levels];
            for (int level = 1; level < levels; level++) {
                bytes[level] = bytes[level - 1] + random.nextInt(1, 4);
                errors[level] = errors[level - 1] + random.nextInt(0, 5);
            }
            curves.add(new Curve(bytes, errors));
        }
        return curves;
    }

    @Test
    void aCurveThatGivesBackIsRefused() {
        assertThatThrownBy(() -> new Curve(new long[] {0, 5, 5}, new double[] {0, 1, 2}))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Curve(new long[] {0, 5}, new double[] {0, -1}))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Curve(new long[] {1}, new double[] {0}))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
