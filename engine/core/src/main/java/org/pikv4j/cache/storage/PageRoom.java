package org.pikv4j.cache.storage;

/**
 * What a page has room for besides keys and values.
 *
 * @param positions the position of each token, so that tokens can be evicted one by one
 * @param bounds the least and the largest of each element of the keys, for each {@link PageLayout#BOUNDED_TOKENS} tokens
 */
public record PageRoom(boolean positions, boolean bounds) {

    /** Nothing else. */
    public static final PageRoom NONE = new PageRoom(false, false);

    /** Positions. */
    public static final PageRoom POSITIONS = new PageRoom(true, false);

    /** Bounds. */
    public static final PageRoom BOUNDS = new PageRoom(false, true);

    public PageRoom {
        if (positions && bounds) {
            throw new IllegalArgumentException("bounds of blocks whose tokens are evicted");
        }
    }
}
