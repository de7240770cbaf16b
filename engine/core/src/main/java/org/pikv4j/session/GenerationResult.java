package org.pikv4j.session;

import java.util.List;

/**
 * What a generation brought.
 *
 * @param text the text, stop strings and end tokens left out
 * @param tokens ids of the tokens generated, the one that ended it included
 * @param finishReason why it ended
 * @param seed of the random numbers that were used, also where nothing was drawn
 * @param stats how long it took and what the cache holds
 */
public record GenerationResult(
        String text, List<Integer> tokens, FinishReason finishReason, long seed, GenerationStats stats) {

    public GenerationResult {
        tokens = List.copyOf(tokens);
    }
}
