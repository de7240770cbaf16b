package org.pikv4j.attention;

import java.util.ArrayList;
import java.util.List;
import org.pikv4j.model.AttentionSpec;

/**
 * Attention of some query rows to some pages, cut into {@linkplain AttentionItem items} that can run anywhere in any order. The cut
 * depends on the shapes alone, never on the number of threads, and partials are merged in a fixed order: equal runs give equal
 * bits.
 *
 * <p>Whoever runs it first computes the {@linkplain #bounds bounds} that a router asked for, then {@linkplain #start starts} it
 * and runs the items.
 */
public abstract class AttentionWork {
    /**
     * Tokens per item when there are few rows, so that one long sequence keeps all threads busy; merging an item costs as
     * much as attending to about one token.
     */
    public static final int SPLIT_TOKENS = 1024;

    private final AttentionSpec spec;
    private final float[] queries;
    private final Partials partials;
    private final List<AttentionItem> items = new ArrayList<>();
    private int entries;
    private boolean started;

    AttentionWork(AttentionSpec spec, float[] queries, Partials partials) {
        this.spec = spec;
        this.queries = queries;
        this.partials = partials;
    }

    /**
     * @return the bounds to compute before the work starts
     */
    public List<BoundItem> bounds() {
        return List.of();
    }

    /**
     * Decides what is left to decide, and empties the partials, before the first item runs; a second time nothing happens.
     *
     * @return the items, in an order that the batch decides
     */
    public final List<AttentionItem> start() {
        if (!started) {
            started = true;
            decide();
            partials.reset(entries);
        }
        return items;
    }

    /** Cuts what could not be cut before bounds stood. */
    void decide() {}

    /** All parts of a tile are complete, and merged into the first. */
    abstract void merged(AttentionTile tile);

    /** Cuts pages of one place into items, each with entries of its own, at least one; returns how many. */
    int cut(AttentionTile tile, SlotRanges read) {
        int count = 0;
        int from = 0;
        do {
            int to = end(tile, read, from);
            SlotRanges ranges = read.part(from, to);
            AttentionItem item = new AttentionItem(tile, ranges, room(tile));
            items.add(item);
            tile.weigh(ranges, () -> List.of(item.takeWeights()));
            count++;
            from = to;
        } while (from < read.size());
        return count;
    }

    /** One past the last range of an item: at most so many, and all of one layout. */
    private static int end(AttentionTile tile, SlotRanges read, int from) {
        int to = from;
        while (to < read.size()
                && (to == from || read.page(to).layout().equals(read.page(from).layout()))
                && (tile.rows() > 1
                        || to - from
                                < Math.max(
                                        1,
                                        SPLIT_TOKENS / read.page(from).layout().tokens()))) {
            to++;
        }
        return to;
    }

    /** Room for the partials of a part of a tile; returns the first. */
    int room(AttentionTile tile) {
        int first = entries;
        entries += tile.entries();
        return first;
    }

    int entries() {
        return entries;
    }

    AttentionSpec spec() {
        return spec;
    }

    float[] queries() {
        return queries;
    }

    Partials partials() {
        return partials;
    }
}
