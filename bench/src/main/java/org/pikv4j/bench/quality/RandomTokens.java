package org.pikv4j.bench.quality;

import org.pikv4j.cache.scheduling.EvictionPolicy;
import org.pikv4j.cache.scheduling.HeadTokens;
import org.pikv4j.cache.scheduling.PolicyOptions;

/**
 * Keeps any tokens: what a policy must be better than. A token's score follows from its place, so that heads choose each
 * for itself, equal runs choose equally, and who was lucky once stays so.
 *
 * <p>Option: {@code seed} (0).
 */
public final class RandomTokens implements EvictionPolicy {
    private static final long STEP = 0x9E3779B97F4A7C15L;

    private final int seed;

    /** With seed 0. */
    public RandomTokens() {
        this(0);
    }

    private RandomTokens(int seed) {
        this.seed = seed;
    }

    @Override
    public String name() {
        return "random";
    }

    @Override
    public EvictionPolicy with(PolicyOptions options) {
        return new RandomTokens(options.number("seed", seed, 0));
    }

    @Override
    public void score(HeadTokens tokens, float[] scores) {
        int[] positions = tokens.positions();
        long head = mixed(mixed(seed + STEP) + STEP * tokens.layer() + tokens.kvHead());
        for (int i = 0; i < scores.length; i++) {
            scores[i] = mixed(head + STEP * positions[i]) >>> 40; // as many bits as a float holds
        }
    }

    /** The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014). */
    private static long mixed(long value) {
        long mixed = (value ^ value >>> 30) * 0xBF58476D1CE4E5B9L;
        mixed = (mixed ^ mixed >>> 27) * 0x94D049BB133111EBL;
        return mixed ^ mixed >>> 31;
    }
}
