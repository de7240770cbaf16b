package org.pikv4j.shard;

import java.util.HashMap;
import java.util.Map;
import org.pikv4j.cache.storage.PageName;

/** Names for the pages of one sequence, in the order in which they come to a shard. */
final class PageNames {
    private final long list;
    private final Map<Table, Integer> next = new HashMap<>();

    /** A list on a shard. */
    private record Table(int shard, int layer, int kvHead) {}

    /**
     * @param list a number that no other names have
     */
    PageNames(long list) {
        this.list = list;
    }

    PageName next(int shard, int layer, int kvHead) {
        return new PageName(list, next.merge(new Table(shard, layer, kvHead), 1, Integer::sum) - 1);
    }
}
