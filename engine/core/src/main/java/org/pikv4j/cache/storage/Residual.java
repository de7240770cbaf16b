package org.pikv4j.cache.storage;

import org.pikv4j.error.InvalidOptionException;

/**
 * Which tokens of a compressed sequence stay exact: the first ones, which all queries look at (attention sinks: StreamingLLM,
 * arXiv 2309.17453), and the newest ones (the residual of KIVI, arXiv 2402.02750, §3.3), both by whole pages.
 *
 * <p>A page takes its sealed form when the sequence reaches a position that its own place alone decides, a multiple of
 * {@code interval}; no batch reaches over such a position. What a query sees thus depends on its position, never on how fast
 * anything ran or how a prompt was cut: equal runs give equal logits. (A sequence that was truncated keeps the sealed pages
 * before the cut.)
 *
 * @param tokens newest tokens that stay exact at least
 * @param sinks first tokens that stay exact
 * @param interval distance between the positions at which pages change form
 */
public record Residual(int tokens, int sinks, int interval) {
    /** As long as the default prefill chunk: shorter ones cost speed, a sixth of it at 128. */
    public static final int DEFAULT_INTERVAL = 256;

    /** 128 newest tokens and 4 sinks. */
    public static final Residual DEFAULT = new Residual(128, 4, DEFAULT_INTERVAL);

    public Residual {
        if (tokens < 0) {
            throw new InvalidOptionException("kv-residual must not be negative, not " + tokens);
        }
        if (sinks < 0) {
            throw new InvalidOptionException("kv-sinks must not be negative, not " + sinks);
        }
        if (interval < 1) {
            throw new IllegalArgumentException("an interval of " + interval);
        }
    }

    /**
     * The exact tokens of a compressed sequence, and the room for their sealed forms, may take a quarter of the budget.
     *
     * @param budgetBytes what the cache may take
     * @param openBytesPerToken what a token that is not yet compressed takes
     * @param budgetTokens what each layer and KV head may keep; 0 for any number
     * @param page tokens per page
     * @return the same, or less
     */
    public Residual within(long budgetBytes, long openBytesPerToken, int budgetTokens, int page) {
        long most = budgetBytes / 4 / openBytesPerToken;
        return atMost(budgetTokens > 0 ? Math.min(most, budgetTokens / 4) : most, page);
    }

    /**
     * Shrinks so that the exact tokens of one sequence, whole pages of them, take no more than a share of the budget, as long as
     * that is three pages or more.
     *
     * @param most tokens that may be exact
     * @param page tokens per page
     * @return the same, or a smaller residual with fewer sinks, and a shorter interval where that is not enough
     */
    public Residual atMost(long most, int page) {
        int first = (int) Math.min(sinks, most / 3 / page * page);
        long rest = most - (long) Math.ceilDiv(first, page) * page - (page - 1); // a page is sealed as a whole
        int kept = Math.clamp(rest - interval, 0, tokens);
        int step = Math.clamp(rest, Math.min(16, interval), interval);
        return new Residual(kept, first, step);
    }

    /**
     * @param length of a sequence
     * @param page tokens per page
     * @return how many of its pages stand in their sealed form, sinks among them not counted out
     */
    int settledPages(int length, int page) {
        return Math.max(0, (length / interval * interval - tokens) / page);
    }

    /**
     * @param page tokens per page
     * @return first pages that stay exact
     */
    int sinkPages(int page) {
        return Math.ceilDiv(sinks, page);
    }

    /**
     * @param length of a sequence
     * @return tokens that may be appended before pages change form
     */
    int rowsToNextChange(int length) {
        return interval - length % interval;
    }
}
