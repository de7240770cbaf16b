package org.pikv4j.cache.scheduling.policies;

import org.pikv4j.cache.scheduling.HeadTokens;

/** Scores that know nothing but where tokens stand. */
final class Positions {
    private Positions() {}

    /** The newer a token, the better. */
    static void newestFirst(HeadTokens tokens, float[] scores) {
        int[] positions = tokens.positions();
        for (int i = 0; i < scores.length; i++) {
            scores[i] = positions[i];
        }
    }
}
