package org.pikv4j.cache.scheduling;

import org.pikv4j.error.InvalidOptionException;

/**
 * Tokens that no policy evicts: the first, which all queries look at (attention sinks: StreamingLLM, arXiv 2309.17453), and the
 * newest, of which nothing can be known yet.
 *
 * @param sinks how many first tokens
 * @param window how many newest tokens
 */
public record Protection(int sinks, int window) {

    /** 4 sinks and 32 newest tokens. */
    public static final Protection DEFAULT = new Protection(4, 32);

    /** The most of either. */
    public static final int MOST = 1 << 24;

    public Protection {
        if (sinks < 0 || window < 0 || sinks > MOST || window > MOST) {
            throw new InvalidOptionException("kv-policy: sinks and window must be at least 0, and at most " + MOST);
        }
    }

    /**
     * @param page tokens per page
     * @return the most pages that hold any of them, where pages cannot be moved together
     */
    public int wholePages(int page) {
        return Math.ceilDiv(sinks, page) + Math.ceilDiv(Math.max(0, window - 1), page) + 1;
    }

    /**
     * @param position position of a token
     * @param length length of its sequence
     * @return whether it stays
     */
    public boolean covers(int position, int length) {
        return position < sinks || position >= length - window;
    }

    /**
     * @param first position of the first of some tokens, in ascending order
     * @param last position of the last
     * @param length length of their sequence
     * @return whether any of them stays
     */
    public boolean coversAny(int first, int last, int length) {
        return covers(first, length) || covers(last, length); // what stays is at either end of the sequence
    }
}
