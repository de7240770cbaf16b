package org.pikv4j.cache.storage;

/** Finds shards for a sequence's full pages. Called by the engine's thread alone. */
public interface PagePlacer {

    /**
     * A layer's gate has chosen experts for rows about to be committed.
     *
     * @param layer index of the layer
     * @param position position of the first of them
     * @param experts each row's first choice
     * @param count experts that there are
     */
    void routed(int layer, int position, int[] experts, int count);

    /**
     * Rows have been committed: pages may have become full.
     *
     * @param cache the sequence
     */
    void committed(SequenceCache cache);

    /**
     * @return the same for a copy of the sequence
     */
    PagePlacer copy();
}
