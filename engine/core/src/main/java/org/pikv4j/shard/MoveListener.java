package org.pikv4j.shard;

import org.pikv4j.cache.routing.NewPage;
import org.pikv4j.cache.storage.Page;

/** Hears of pages that have been placed anew. Called by the engine's thread. */
public interface MoveListener {
    /** Hears nothing. */
    MoveListener NONE = (page, held, from) -> {};

    /**
     * @param page what is known of it
     * @param held the page, where it is now
     * @param from the shard that it was on, or {@link Page#HERE}
     */
    void moved(NewPage page, Page held, int from);
}
