package org.pikv4j.model;

import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * What {@code generation_config.json} proposes; each is used where the caller says nothing.
 *
 * @param endTokens ids that end a generation
 * @param sample whether the authors sample at all; if not, decoding is greedy
 * @param temperature divides the logits
 * @param topK keeps this many of the likeliest tokens
 * @param topP keeps the likeliest tokens up to this probability
 * @param minP keeps tokens at least this likely, relative to the likeliest
 * @param repetitionPenalty divides the positive logits of tokens seen before, multiplies the negative ones
 * @param maxNewTokens length of an answer
 * @param stopStrings texts that end a generation
 */
public record GenerationDefaults(
        Set<Integer> endTokens,
        boolean sample,
        Optional<Float> temperature,
        OptionalInt topK,
        Optional<Float> topP,
        Optional<Float> minP,
        Optional<Float> repetitionPenalty,
        OptionalInt maxNewTokens,
        List<String> stopStrings) {

    public GenerationDefaults {
        endTokens = Set.copyOf(endTokens);
        stopStrings = List.copyOf(stopStrings);
    }
}
