package org.pikv4j.app;

import java.util.Locale;
import org.pikv4j.memory.ByteSize;
import org.pikv4j.session.Engine;
import org.pikv4j.session.GenerationResult;
import org.pikv4j.session.GenerationStats;

/**
 * What {@code run --json} prints; the names of the components are the names in JSON.
 *
 * @param text the text generated
 * @param tokens how many tokens that were, the one that ended it included
 * @param promptTokens tokens of the prompt that had to be read
 * @param timeToFirstTokenS seconds from the prompt to the first token
 * @param prefillTokensPerS tokens of the prompt read per second
 * @param decodeTokensPerS tokens generated per second after the first
 * @param decodeP50S median of the seconds between two tokens
 * @param decodeP99S 99th percentile of the same
 * @param kvBytes bytes of the cache in use at the end, as its allocator counts them
 * @param kvBytesPerToken the same per token in the cache
 * @param backend what computed
 * @param finishReason why the text ended
 * @param seed of the random numbers, to have the same text again
 */
record GenerationReport(
        String text,
        int tokens,
        int promptTokens,
        double timeToFirstTokenS,
        double prefillTokensPerS,
        double decodeTokensPerS,
        double decodeP50S,
        double decodeP99S,
        long kvBytes,
        double kvBytesPerToken,
        String backend,
        String finishReason,
        long seed) {

    static GenerationReport of(GenerationResult result, Engine engine) {
        GenerationStats stats = result.stats();
        return new GenerationReport(
                result.text(),
                stats.generatedTokens(),
                stats.promptTokens(),
                stats.timeToFirstToken(),
                stats.prefillTokensPerSecond(),
                stats.decodeTokensPerSecond(),
                stats.tokenP50(),
                stats.tokenP99(),
                stats.kvBytes(),
                stats.kvBytesPerToken(),
                engine.backend().name(),
                result.finishReason().name().toLowerCase(Locale.ROOT),
                result.seed());
    }

    /** The line on stderr after an answer. */
    String line() {
        String first = tokens > 0
                ? String.format(
                        Locale.ROOT,
                        "first token %s | prompt %,d tokens, %s/s",
                        seconds(timeToFirstTokenS),
                        promptTokens,
                        rate(prefillTokensPerS))
                : "stopped after " + seconds(timeToFirstTokenS) + ", before the first token";
        String decode = tokens > 1
                ? String.format(
                        Locale.ROOT,
                        "decode %,d tokens, %s/s, p50 %s, p99 %s",
                        tokens,
                        rate(decodeTokensPerS),
                        seconds(decodeP50S),
                        seconds(decodeP99S))
                : "decode " + tokens + (tokens == 1 ? " token" : " tokens");
        String cache =
                "KV " + ByteSize.format(kvBytes) + ", " + ByteSize.format(Math.round(kvBytesPerToken)) + " per token";
        return "[" + String.join(" | ", first, decode, cache, backend) + "]";
    }

    private static String seconds(double seconds) {
        return seconds < 1
                ? String.format(Locale.ROOT, "%.3g ms", seconds * 1e3)
                : String.format(Locale.ROOT, "%.2f s", seconds);
    }

    private static String rate(double perSecond) {
        return String.format(Locale.ROOT, perSecond < 100 ? "%.1f" : "%,.0f", perSecond);
    }
}
