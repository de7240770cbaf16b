package org.pikv4j.bench.quality;

import java.util.Optional;
import org.pikv4j.cache.scheduling.EvictionPolicy;
import org.pikv4j.cache.scheduling.HeadTokens;
import org.pikv4j.error.InvalidOptionException;

/**
 * The bound for cuts made once: keeps the tokens that the steps to come will pay most attention to, after Belady ("A study of
 * replacement algorithms for a virtual-storage computer", IBM Systems Journal 5, 1966). No policy that has as many tokens for each
 * layer and KV head keeps more of the attention mass. It has to be told the future before each cut; nobody else can use it.
 */
public final class Clairvoyant implements EvictionPolicy {
    /** What it is called. */
    static final String NAME = "belady";

    private Optional<ExactAttention> future = Optional.empty();

    @Override
    public String name() {
        return NAME;
    }

    /**
     * Tells the future, does something, and forgets it.
     *
     * @param exact what the steps to come would attend to if nothing were forgotten
     * @param cut an eviction
     */
    synchronized void foreseeing(ExactAttention exact, Runnable cut) {
        future = Optional.of(exact);
        try {
            cut.run();
        } finally {
            future = Optional.empty();
        }
    }

    @Override
    public void score(HeadTokens tokens, float[] scores) {
        ExactAttention exact = future.orElseThrow(
                () -> new InvalidOptionException("kv-policy belady knows the future in bench quality alone"));
        int[] positions = tokens.positions();
        for (int step = 0; step < exact.steps(); step++) {
            for (int i = 0; i < scores.length; i++) {
                scores[i] += exact.probability(tokens.layer(), step, tokens.kvHead(), positions[i]);
            }
        }
    }
}
