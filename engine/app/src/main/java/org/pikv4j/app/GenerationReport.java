package org.pikv4j.app;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.ToLongFunction;
import org.pikv4j.cache.routing.RoutingUsage;
import org.pikv4j.cli.Terminal;
import org.pikv4j.memory.ByteSize;
import org.pikv4j.session.Engine;
import org.pikv4j.session.GenerationResult;
import org.pikv4j.session.GenerationStats;
import org.pikv4j.shard.ShardStats;
import org.pikv4j.shard.ShardUsage;
import org.pikv4j.text.Plural;

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
 * @param kvBytes bytes of the cache in memory at the end, as its allocator counts them
 * @param kvOpenBytes of these, what is not compressed yet where the cache is compressed
 * @param kvTierBytes bytes of the cache on disk at the end
 * @param kvBytesPerToken bytes in memory per token in the cache
 * @param kvTokens tokens in the cache, those included that were forgotten or have left the windows of all layers that have one
 * @param kvTokensKept of these, those that are left, on average over layers and KV heads
 * @param shards what each shard of the cache holds and did, if there are any
 * @param sharding what working with them has cost
 * @param routing what queries have read that chose among expert shards, if they did
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
        long kvOpenBytes,
        long kvTierBytes,
        double kvBytesPerToken,
        int kvTokens,
        double kvTokensKept,
        @JsonInclude(JsonInclude.Include.NON_EMPTY) List<ShardUsage> shards,
        Optional<ShardStats> sharding,
        Optional<RoutingUsage> routing,
        String backend,
        String finishReason,
        long seed) {

    private static final String SEPARATOR = " | ";

    /** Longer lines are hard to read even where there is room for them. */
    private static final int MAX_COLUMNS = 100;

    /** More shards than this would fill the screen; JSON has them all. */
    private static final int MOST_SHARDS_ONE_BY_ONE = 8;

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
                stats.kvOpenBytes(),
                stats.kvTierBytes(),
                stats.kvBytesPerToken(),
                stats.kvTokens(),
                stats.kvTokensKept(),
                engine.shards(),
                engine.shards().isEmpty() ? Optional.empty() : Optional.of(engine.shardStats()),
                engine.routing(),
                engine.backend().name(),
                result.finishReason().name().toLowerCase(Locale.ROOT),
                result.seed());
    }

    /** What follows an answer on a stream: one line, or on a terminal lines that fit. */
    String text(Terminal stream) {
        return text(
                stream.present() ? Math.min(Terminal.columns().orElse(MAX_COLUMNS), MAX_COLUMNS) : Integer.MAX_VALUE);
    }

    /** The same in lines of at most so many characters, broken between its parts. */
    String text(int columns) {
        List<String> parts = new ArrayList<>();
        if (tokens == 0) {
            parts.add("stopped after " + seconds(timeToFirstTokenS) + ", before the first token");
        } else {
            parts.add("first token " + seconds(timeToFirstTokenS));
            parts.add(String.format(
                    Locale.ROOT, "prompt %s, %s/s", Plural.of(promptTokens, "token"), rate(prefillTokensPerS)));
        }
        if (tokens > 1) {
            parts.add(String.format(
                    Locale.ROOT,
                    "decode %s, %s/s, p50 %s, p99 %s",
                    Plural.of(tokens, "token"),
                    rate(decodeTokensPerS),
                    seconds(decodeP50S),
                    seconds(decodeP99S)));
        }
        parts.add("KV " + ByteSize.format(kvBytes)
                + (kvOpenBytes > 0 ? " (" + ByteSize.format(kvOpenBytes) + " not compressed yet)" : "") + ", "
                + ByteSize.format(Math.round(kvBytesPerToken)) + " per token"
                + (kvTierBytes > 0 ? ", and " + ByteSize.format(kvTierBytes) + " on disk" : "")
                + (kvTokensKept < kvTokens
                        ? String.format(Locale.ROOT, ", %,.0f of %s kept", kvTokensKept, Plural.of(kvTokens, "token"))
                        : ""));
        if (!shards.isEmpty()) {
            parts.addAll(shardsText());
        }
        routing.filter(usage -> usage.queries() > 0).ifPresent(usage -> parts.add(routingText(usage)));
        parts.add(backend);
        StringBuilder text = new StringBuilder("[").append(parts.getFirst());
        int lineStart = 0;
        for (String part : parts.subList(1, parts.size())) {
            // One character is kept for the bracket at the end.
            if (text.length() - lineStart + SEPARATOR.length() + part.length() + 1 > columns) {
                text.append('\n');
                lineStart = text.length();
            }
            text.append(SEPARATOR).append(part);
        }
        return text.append(']').toString();
    }

    private List<String> shardsText() {
        List<String> parts = new ArrayList<>();
        parts.add("%s, %s; queries %s, partials %s, rows %s"
                .formatted(
                        Plural.of(shards.size(), "shard"),
                        ByteSize.format(sum(ShardUsage::heldBytes)),
                        ByteSize.format(sum(ShardUsage::queryBytes)),
                        ByteSize.format(sum(ShardUsage::answerBytes)),
                        ByteSize.format(sum(ShardUsage::rowBytes))));
        if (shards.size() <= MOST_SHARDS_ONE_BY_ONE) {
            shards.forEach(shard -> parts.add(shardText(shard)));
        }
        sharding.ifPresent(stats -> {
            parts.add("waited %s for shards beside %s of attention here%s"
                    .formatted(
                            seconds(stats.waitSeconds()),
                            seconds(stats.engineSeconds()),
                            stats.overlap() ? "" : ", not overlapping"));
            if (stats.rebalances() > 0) {
                parts.add("rebalanced %s, %s, %s in %s"
                        .formatted(
                                Plural.of(stats.rebalances(), "time"),
                                Plural.of(stats.moves().pages(), "page"),
                                ByteSize.format(stats.moves().bytes()),
                                seconds(stats.moves().seconds())));
            }
        });
        return parts;
    }

    private static String routingText(RoutingUsage usage) {
        return String.format(
                Locale.ROOT,
                "routed queries read %.0f%% of %s, loads max/mean %.2f, %.0f%% as the query before%s",
                100.0 * usage.bytesRead() / usage.bytes(),
                ByteSize.format(usage.bytes()),
                usage.imbalance(),
                100 * usage.foreseenShare(),
                usage.sparedAhead() > 0
                        ? String.format(
                                Locale.ROOT,
                                ", %.0f%% of the pages on disk not read ahead",
                                100.0 * usage.sparedAhead() / (usage.sparedAhead() + usage.readAhead()))
                        : "");
    }

    /** What a shard has beside what it shall have, and its share of what was read. */
    private String shardText(ShardUsage shard) {
        return String.format(
                Locale.ROOT,
                "shard %d: %s of %s, held %s of %s, read %s%s",
                shard.shard(),
                ByteSize.format(shard.heldBytes()),
                ByteSize.format(shard.capacityBytes()),
                percent(ofAll(shard.heldBytes(), ShardUsage::heldBytes)),
                percent(shard.share()),
                percent(ofAll(shard.readBytes(), ShardUsage::readBytes)),
                shard.open() ? "" : ", shut");
    }

    private long sum(ToLongFunction<ShardUsage> bytes) {
        return shards.stream().mapToLong(bytes).sum();
    }

    private double ofAll(long bytes, ToLongFunction<ShardUsage> of) {
        return (double) bytes / Math.max(1, sum(of));
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.0f%%", 100 * share);
    }

    private static String seconds(double seconds) {
        return seconds < 0.9995
                ? String.format(Locale.ROOT, "%.3g ms", seconds * 1e3)
                : String.format(Locale.ROOT, "%.2f s", seconds);
    }

    private static String rate(double perSecond) {
        return String.format(Locale.ROOT, perSecond < 100 ? "%.1f" : "%,.0f", perSecond);
    }
}
