package org.pikv4j.cache.scheduling;

import org.pikv4j.cache.storage.TokenColumns;

/** What is known of the tokens of one layer and KV head without looking at their keys and values. */
public interface TokenSignals {

    /**
     * @return number of tokens that may be evicted, and some that may not, by position
     */
    int size();

    /**
     * @return tokens of the sequence, those that are not listed here and those that are gone included
     */
    int length();

    /**
     * @return positions of all tokens
     */
    int[] positions();

    /**
     * @return what the policy keeps; the first {@link #size} rows are these tokens
     */
    TokenColumns columns();
}
