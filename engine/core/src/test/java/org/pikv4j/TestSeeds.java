package org.pikv4j;

import java.util.Optional;
import java.util.SplittableRandom;

/** Seeds of randomised tests: {@code -Dpikv.seed=N} repeats a run, and every test names the one it used. */
public final class TestSeeds {

    private TestSeeds() {}

    /**
     * @return the seed given, or a fresh one
     */
    public static long seed() {
        return Optional.ofNullable(System.getProperty("pikv.seed"))
                .filter(text -> !text.isBlank())
                .map(Long::parseLong)
                .orElseGet(() -> new SplittableRandom().nextLong());
    }

    /**
     * @param seed the seed
     * @return how to repeat the run, for a failure's message
     */
    public static String repeat(long seed) {
        return "repeat with -Dpikv.seed=" + seed;
    }

    /**
     * @param random where values come from
     * @param count how many
     * @return values of about the standard normal distribution
     */
    public static float[] normal(SplittableRandom random, int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] =
                    (float) (random.nextDouble() + random.nextDouble() + random.nextDouble() + random.nextDouble() - 2)
                            * 1.73f;
        }
        return values;
    }
}
