package org.pikv4j.session;

import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.model.GenerationDefaults;

/**
 * How a text is continued. Tokens are drawn in the order that Hugging Face transformers uses: repetition penalty,
 * temperature, top-k, top-p, min-p.
 *
 * @param maxTokens the most tokens to generate
 * @param temperature divides the logits; 0 always takes the likeliest token
 * @param topK keeps this many of the likeliest tokens; 0 keeps all
 * @param topP keeps the likeliest tokens up to this probability; 1 keeps all
 * @param minP keeps tokens at least this likely relative to the likeliest; 0 keeps all
 * @param repetitionPenalty divides the positive logits of tokens seen before and multiplies the negative ones; 1 is none
 *     (CTRL: Keskar et al., arXiv 1909.05858, §4.1)
 * @param seed of the random numbers; without one, a fresh one is drawn and reported
 * @param stopStrings the text ends before the first of these
 * @param endTokens the text ends at any of these tokens
 */
public record GenerationOptions(
        int maxTokens,
        float temperature,
        int topK,
        float topP,
        float minP,
        float repetitionPenalty,
        OptionalLong seed,
        List<String> stopStrings,
        Set<Integer> endTokens) {

    private static final int DEFAULT_MAX_TOKENS = 256;

    public GenerationOptions {
        stopStrings = List.copyOf(stopStrings);
        endTokens = Set.copyOf(endTokens);
        require(maxTokens >= 1, "max-tokens must be at least 1, not " + maxTokens);
        require(temperature >= 0 && temperature <= 1000, "temperature must be between 0 and 1000, not " + temperature);
        require(topK >= 0, "top-k must be 0 or more, not " + topK);
        require(topP > 0 && topP <= 1, "top-p must be above 0 and at most 1, not " + topP);
        require(minP >= 0 && minP <= 1, "min-p must be between 0 and 1, not " + minP);
        require(
                repetitionPenalty > 0 && repetitionPenalty <= 1000,
                "repetition-penalty must be above 0 and at most 1000, not " + repetitionPenalty);
        require(stopStrings.stream().noneMatch(String::isEmpty), "a stop string must not be empty");
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new InvalidOptionException(otherwise);
        }
    }

    /**
     * @param defaults what the model's files propose
     * @return options that follow them, greedy where they say nothing
     */
    public static GenerationOptions from(GenerationDefaults defaults) {
        return new GenerationOptions(
                defaults.maxNewTokens().orElse(DEFAULT_MAX_TOKENS),
                defaults.sample() ? defaults.temperature().orElse(1f) : 0f,
                defaults.sample() ? defaults.topK().orElse(0) : 0,
                defaults.sample() ? defaults.topP().orElse(1f) : 1f,
                defaults.sample() ? defaults.minP().orElse(0f) : 0f,
                defaults.repetitionPenalty().orElse(1f),
                OptionalLong.empty(),
                defaults.stopStrings(),
                defaults.endTokens());
    }

    public GenerationOptions withMaxTokens(int value) {
        return new GenerationOptions(
                value, temperature, topK, topP, minP, repetitionPenalty, seed, stopStrings, endTokens);
    }

    public GenerationOptions withTemperature(float value) {
        return new GenerationOptions(
                maxTokens, value, topK, topP, minP, repetitionPenalty, seed, stopStrings, endTokens);
    }

    public GenerationOptions withTopK(int value) {
        return new GenerationOptions(
                maxTokens, temperature, value, topP, minP, repetitionPenalty, seed, stopStrings, endTokens);
    }

    public GenerationOptions withTopP(float value) {
        return new GenerationOptions(
                maxTokens, temperature, topK, value, minP, repetitionPenalty, seed, stopStrings, endTokens);
    }

    public GenerationOptions withMinP(float value) {
        return new GenerationOptions(
                maxTokens, temperature, topK, topP, value, repetitionPenalty, seed, stopStrings, endTokens);
    }

    public GenerationOptions withRepetitionPenalty(float value) {
        return new GenerationOptions(maxTokens, temperature, topK, topP, minP, value, seed, stopStrings, endTokens);
    }

    public GenerationOptions withSeed(long value) {
        return new GenerationOptions(
                maxTokens,
                temperature,
                topK,
                topP,
                minP,
                repetitionPenalty,
                OptionalLong.of(value),
                stopStrings,
                endTokens);
    }

    public GenerationOptions withStopStrings(List<String> value) {
        return new GenerationOptions(
                maxTokens, temperature, topK, topP, minP, repetitionPenalty, seed, value, endTokens);
    }

    public GenerationOptions withEndTokens(Set<Integer> value) {
        return new GenerationOptions(
                maxTokens, temperature, topK, topP, minP, repetitionPenalty, seed, stopStrings, value);
    }
}
