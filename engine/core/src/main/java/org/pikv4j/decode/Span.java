package org.pikv4j.decode;

import java.util.Optional;
import org.pikv4j.cache.storage.SequenceCache;

/**
 * Consecutive tokens of one sequence in a batch: a prefill chunk, or the one token of a decode step. Their positions
 * follow what the sequence holds already.
 */
public final class Span {

    /** For which tokens the next-token logits are computed. */
    public enum Logits {
        NONE,
        LAST,
        ALL
    }

    private final SequenceCache cache;
    private final int[] tokens;
    private final int from;
    private final int count;
    private final Logits logits;
    private final Optional<AttentionObserver> observer;

    /**
     * @param cache the sequence, with room {@linkplain SequenceCache#reserve reserved} for the tokens
     * @param tokens holds the tokens
     * @param from index of the first
     * @param count how many, at least 1
     * @param logits which logits are wanted
     */
    public Span(SequenceCache cache, int[] tokens, int from, int count, Logits logits) {
        this(cache, tokens, from, count, logits, Optional.empty());
    }

    /**
     * @param cache the sequence, with room {@linkplain SequenceCache#reserve reserved} for the tokens
     * @param tokens holds the tokens
     * @param from index of the first
     * @param count how many, at least 1
     * @param logits which logits are wanted
     * @param observer sees these tokens in attention, layer by layer
     */
    public Span(
            SequenceCache cache,
            int[] tokens,
            int from,
            int count,
            Logits logits,
            Optional<AttentionObserver> observer) {
        this.cache = cache;
        this.tokens = tokens;
        this.from = from;
        this.count = count;
        this.logits = logits;
        this.observer = observer;
    }

    public SequenceCache cache() {
        return cache;
    }

    /**
     * @param index below {@link #count()}
     * @return that token's id
     */
    public int token(int index) {
        return tokens[from + index];
    }

    public int count() {
        return count;
    }

    public Logits logits() {
        return logits;
    }

    Optional<AttentionObserver> observer() {
        return observer;
    }

    /** The first token of this span whose logits are wanted. */
    int firstWanted() {
        return switch (logits) {
            case NONE -> count;
            case LAST -> count - 1;
            case ALL -> 0;
        };
    }
}
