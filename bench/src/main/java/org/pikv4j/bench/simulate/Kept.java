package org.pikv4j.bench.simulate;

/** What each step finds of the tokens before it. */
sealed interface Kept permits Retention, TokensRead {

    /**
     * What comes of one step.
     *
     * @param table index of layer and KV head
     * @param position position of the query
     * @param first the oldest token that it may see
     * @param shares its exact attention, by token
     * @param top the token with the largest share
     */
    Tally of(int table, int position, int first, double[] shares, int top);
}
