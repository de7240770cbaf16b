package org.pikv4j.cache.scheduling;

import org.pikv4j.cache.storage.PageTable;
import org.pikv4j.cache.storage.TierDirectory;

/** Chooses pages that move to the second tier. Attention reads them there: nothing is lost but time. */
public interface PlacementPolicy extends CachePolicy {

    /**
     * @return where the second tier is
     */
    TierDirectory directory();

    /**
     * @param table the pages of one layer and KV head
     * @param protection tokens that stay in memory
     * @param count how many pages shall move
     * @return {@linkplain PageTable#movable movable} pages, ascending; fewer than {@code count} if there are no more
     */
    int[] away(PageTable table, Protection protection, int count);
}
