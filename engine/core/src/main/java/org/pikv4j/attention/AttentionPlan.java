package org.pikv4j.attention;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.pikv4j.cache.routing.PageRouter;
import org.pikv4j.cache.scheduling.AttentionWatcher;
import org.pikv4j.cache.scheduling.ObservedAttention;
import org.pikv4j.cache.storage.Page;
import org.pikv4j.cache.storage.PageChoice;
import org.pikv4j.cache.storage.PageSignals;
import org.pikv4j.cache.storage.PageTable;
import org.pikv4j.model.AttentionSpec;

/**
 * One layer's attention for a ragged batch, cut into {@linkplain AttentionItem items} that can run anywhere in any order.
 * The cut depends on the shapes alone, never on the number of threads, and partials are merged in a fixed order: equal
 * runs give equal bits.
 */
public final class AttentionPlan {
    /** Query rows per tile: enough to reuse a widened page, few enough that its scores stay in the first-level cache. */
    private static final int TILE_ROWS = 16;
    /**
     * Tokens per item when there are few rows, so that one long sequence keeps all threads busy; merging an item costs as
     * much as attending to about one token.
     */
    private static final int SPLIT_TOKENS = 1024;

    private final AttentionSpec spec;
    private final float[] queries;
    private final float[] out;
    private final Partials partials;
    private final Optional<PageRouter> router;
    private final int layer;
    private final List<AttentionItem> items = new ArrayList<>();
    private final List<ObservedAttention> observed = new ArrayList<>();
    private int entries;

    /**
     * @param spec the layer's attention
     * @param queries rotated queries, (row, heads, headDim)
     * @param out receives the attention output, (row, heads, headDim)
     * @param partials room for partials, reused from plan to plan
     * @param layer index of the layer, for the router
     * @param router chooses the pages that are read; all where there is none
     */
    public AttentionPlan(
            AttentionSpec spec,
            float[] queries,
            float[] out,
            Partials partials,
            int layer,
            Optional<PageRouter> router) {
        this.layer = layer;
        this.router = router;
        this.spec = spec;
        this.queries = queries;
        this.out = out;
        this.partials = partials;
    }

    /**
     * Adds consecutive rows of one sequence, for one KV head.
     *
     * @param firstRow row of the batch that the first query stands in
     * @param rows number of rows
     * @param position position of the first row
     * @param kvHead index of the KV head
     * @param table its pages, the rows' own keys and values included
     */
    public void add(int firstRow, int rows, int position, int kvHead, PageTable table) {
        add(firstRow, rows, position, kvHead, table, Optional.empty());
    }

    /**
     * Adds consecutive rows of one sequence, for one KV head, whose attention is wanted, too: {@link #observed}.
     *
     * @param firstRow row of the batch that the first query stands in
     * @param rows number of rows
     * @param position position of the first row
     * @param kvHead index of the KV head
     * @param table its pages, the rows' own keys and values included
     * @param watcher who wants it
     */
    public void add(
            int firstRow,
            int rows,
            int position,
            int kvHead,
            PageTable table,
            Optional<? extends AttentionWatcher> watcher) {
        int observedFrom = watcher.map(AttentionWatcher::watchedFrom).orElse(Integer.MAX_VALUE);
        int row = 0;
        while (row < rows) {
            int first = position + row;
            int until = first < observedFrom ? Math.min(rows, observedFrom - position) : rows;
            int count = Math.min(TILE_ROWS, until - row);
            Optional<ObservedAttention> seen = first < observedFrom
                    ? Optional.empty()
                    : watcher.map(w -> new ObservedAttention(w, table, first, count));
            seen.ifPresent(observed::add);
            addTile(new AttentionTile(this, firstRow + row, count, first, kvHead, seen), table);
            row += count;
        }
    }

    private void addTile(AttentionTile tile, PageTable table) {
        int[] visible = visible(tile, table);
        int[] read = router.isEmpty() ? visible : route(router.get(), tile, table, visible);
        int perItem =
                tile.rows() == 1 ? Math.max(1, SPLIT_TOKENS / table.layout().tokens()) : Math.max(1, read.length);
        int[] cuts = cuts(table, read, perItem);
        tile.split(entries, cuts.length - 1);
        for (int s = 0; s + 1 < cuts.length; s++) {
            int from = cuts[s];
            int count = cuts[s + 1] - from;
            Page[] pages = new Page[count];
            int[] tokens = new int[count];
            for (int i = 0; i < count; i++) {
                pages[i] = table.page(read[from + i]);
                tokens[i] = table.tokens(read[from + i]);
            }
            AttentionItem item = new AttentionItem(tile, pages, tokens, entries);
            items.add(item);
            tile.observe(item, Arrays.copyOfRange(read, from, from + count));
            entries += tile.entries();
        }
    }

    /** Where items begin, and the end: at most so many pages each, and all of one layout. */
    private static int[] cuts(PageTable table, int[] read, int perItem) {
        IntStream.Builder cuts = IntStream.builder().add(0);
        int begin = 0;
        for (int i = 1; i < read.length; i++) {
            boolean changes =
                    !table.page(read[i]).layout().equals(table.page(read[i - 1]).layout());
            if (i - begin == perItem || changes) {
                cuts.add(i);
                begin = i;
            }
        }
        return cuts.add(read.length).build().toArray();
    }

    /** The pages that some row of the tile sees a token of. */
    private int[] visible(AttentionTile tile, PageTable table) {
        long oldest = (long) tile.position() - spec.window() + 1;
        int newest = tile.position() + tile.rows() - 1;
        int first = 0;
        while (first < table.size() && table.page(first).end() <= oldest) {
            first++;
        }
        int last = first;
        while (last < table.size() && table.page(last).position() <= newest && table.tokens(last) > 0) {
            last++;
        }
        return IntStream.range(first, last).toArray();
    }

    private int[] route(PageRouter by, AttentionTile tile, PageTable table, int[] visible) {
        List<PageSignals> signals =
                Arrays.stream(visible).mapToObj(table::signals).toList();
        int[] chosen = PageChoice.checked(by, by.read(layer, tile.kvHead(), tile.position(), signals), visible.length);
        return Arrays.stream(chosen).map(i -> visible[i]).toArray();
    }

    /**
     * Empties the partials, after the last {@link #add} and before the first item runs.
     *
     * @return the items, in the order of the batch
     */
    public List<AttentionItem> start() {
        partials.reset(entries);
        return items;
    }

    /**
     * @return the attention that was wanted, once all items are complete, in the order of {@link #add}
     */
    public List<ObservedAttention> observed() {
        return observed;
    }

    AttentionSpec spec() {
        return spec;
    }

    float[] queries() {
        return queries;
    }

    float[] out() {
        return out;
    }

    Partials partials() {
        return partials;
    }
}
