package org.pikv4j.attention;

import java.util.Optional;
import org.pikv4j.cache.storage.Page;
import org.pikv4j.model.AttentionSpec;

/**
 * The smallest piece of attention work: some consecutive query rows of one sequence, the query heads of one KV head, and
 * some of that head's pages. A backend computes its partials and then calls {@link #complete()}.
 *
 * <p>The partial of row r and head g of the group is entry {@code entry() + r·group + g} of {@link #partials()}.
 */
public final class AttentionItem {
    private final AttentionTile tile;
    private final SlotRanges ranges;
    private final int entry;
    private Optional<TokenWeights> weights = Optional.empty();

    AttentionItem(AttentionTile tile, SlotRanges ranges, int entry) {
        this.tile = tile;
        this.ranges = ranges;
        this.entry = entry;
    }

    public AttentionSpec spec() {
        return tile.plan().spec();
    }

    /**
     * @return the queries, rotated; those of this item are not all
     */
    public float[] queries() {
        return tile.plan().queries();
    }

    /**
     * @param row a row of this item, from 0
     * @return where that row's queries for this item's KV head start in {@link #queries()}: (group, headDim)
     */
    public int queryOffset(int row) {
        return tile.queryOffset(row);
    }

    /**
     * @return number of query rows
     */
    public int rows() {
        return tile.rows();
    }

    /**
     * @return number of pages, all of one layout; the same page may come again for other slots
     */
    public int pageCount() {
        return ranges.size();
    }

    /**
     * @param index which page
     * @return the page
     */
    public Page page(int index) {
        return ranges.page(index);
    }

    /**
     * @param index which page
     * @param row a row of this item
     * @return the first slot of the page that the row reads
     */
    public int from(int index, int row) {
        int oldest = (int) Math.max(0, (long) tile.position() + row - spec().window() + 1);
        return Math.clamp(page(index).slotsBefore(oldest), ranges.start(index), ranges.end(index));
    }

    /**
     * @param index which page
     * @param row a row of this item
     * @return one past the last slot of the page that the row reads; a query sees itself and what is older
     */
    public int to(int index, int row) {
        return Math.clamp(page(index).slotsBefore(tile.position() + row + 1), ranges.start(index), ranges.end(index));
    }

    /**
     * @return where the partials go
     */
    public Partials partials() {
        return tile.plan().partials();
    }

    /**
     * @return index of the first partial
     */
    public int entry() {
        return entry;
    }

    /**
     * @return what receives the weights of the tokens, if they are wanted
     */
    public Optional<TokenWeights> weights() {
        if (tile.weighs() && weights.isEmpty()) {
            weights = Optional.of(new TokenWeights(ranges.ends(), tile.entries())); // only now: a plan has many items
        }
        return weights;
    }

    /** Gives the weights away, that were wanted: they are large. */
    TokenWeights takeWeights() {
        TokenWeights taken = weights().orElseThrow();
        weights = Optional.empty();
        return taken;
    }

    /** To be called once, when all partials of this item stand. The last item of its rows merges and writes the output. */
    public void complete() {
        tile.complete();
    }
}
