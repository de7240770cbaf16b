package org.pikv4j.plan;

/**
 * What the cache of all sequences takes under {@code --kv auto}, which makes pages smaller where they do not fit, and forgets tokens
 * last.
 *
 * @param budgetBytes the most that it ever takes
 * @param keptFreeBytes of these, what is kept free for a page's smaller form
 * @param exactBytes what it takes as it is filled
 * @param smallestBytes what it takes in the smallest forms, but for the pages of first and newest tokens, and for what is read at once:
 *     a budget that is clearly less forgets tokens
 */
public record OneBudgetBytes(long budgetBytes, long keptFreeBytes, long exactBytes, long smallestBytes) {

    /**
     * @return whether nothing has to become smaller
     */
    public boolean asItIs() {
        return exactBytes <= budgetBytes - keptFreeBytes;
    }

    /**
     * @return whether no token has to be forgotten
     */
    public boolean keepsAll() {
        return asItIs() || smallestBytes <= budgetBytes - keptFreeBytes;
    }

    /**
     * @return what is held in the end: all of it as it is, or as much as there may be
     */
    public long heldBytes() {
        return asItIs() ? exactBytes : budgetBytes;
    }
}
