package org.pikv4j.attention;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.pikv4j.cache.routing.Candidates;
import org.pikv4j.cache.routing.PageRouter;
import org.pikv4j.cache.scheduling.AttentionWatcher;
import org.pikv4j.cache.scheduling.ObservedAttention;
import org.pikv4j.cache.storage.Page;
import org.pikv4j.cache.storage.PageChoice;
import org.pikv4j.cache.storage.PageLayout;
import org.pikv4j.cache.storage.PageTable;
import org.pikv4j.model.AttentionSpec;

/**
 * One layer's attention for a ragged batch, cut into {@linkplain AttentionItem items} that can run anywhere in any order.
 * The cut depends on the shapes alone, never on the number of threads, and partials are merged in a fixed order: equal
 * runs give equal bits.
 *
 * <p>Whoever runs it first computes the {@linkplain #bounds bounds} that a router asked for, then {@linkplain #start starts} it
 * and runs the items.
 */
public final class AttentionPlan {
    /**
     * Query rows per tile: enough to reuse a widened page, few enough that its scores stay in the first-level cache. Tiles end at
     * positions that are multiples of it, so that what is told of them does not depend on how a prompt was cut.
     */
    public static final int TILE_ROWS = 16;
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
    private final List<AttentionTile> tiles = new ArrayList<>();
    private final List<ObservedAttention> observed = new ArrayList<>();
    private final List<BoundItem> bounds = new ArrayList<>();
    private final List<Runnable> choices = new ArrayList<>(); // once the bounds stand
    private int entries;

    /**
     * @param spec the layer's attention
     * @param queries rotated queries, (row, heads, headDim)
     * @param out receives the attention output, (row, heads, headDim)
     * @param partials room for partials, reused from plan to plan
     * @param layer index of the layer, for the router
     * @param router chooses what is read; all where there is none
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
        add(firstRow, rows, position, kvHead, table, 0, Optional.empty());
    }

    /**
     * Adds consecutive rows of one sequence, for one KV head, whose attention is wanted, too: {@link #observed}.
     *
     * @param firstRow row of the batch that the first query stands in
     * @param rows number of rows
     * @param position position of the first row
     * @param kvHead index of the KV head
     * @param table its pages, the rows' own keys and values included
     * @param prompt tokens that the sequence began with, for the router
     * @param watcher who wants it
     */
    public void add(
            int firstRow,
            int rows,
            int position,
            int kvHead,
            PageTable table,
            int prompt,
            Optional<? extends AttentionWatcher> watcher) {
        int observedFrom = watcher.map(AttentionWatcher::watchedFrom).orElse(Integer.MAX_VALUE);
        int choosesFrom = router.map(by -> by.choosesFrom(layer, prompt)).orElse(Integer.MAX_VALUE);
        boolean oneByOne = router.filter(PageRouter::bounds).isPresent();
        int row = 0;
        while (row < rows) {
            int at = firstRow + row;
            int first = position + row;
            boolean chooses = first >= choosesFrom;
            int until = Math.min(until(first, observedFrom, position, rows), until(first, choosesFrom, position, rows));
            int count = chooses && oneByOne ? 1 : Math.min(TILE_ROWS - first % TILE_ROWS, until - row);
            Optional<ObservedAttention> seen = first < observedFrom
                    ? Optional.empty()
                    : watcher.map(w -> new ObservedAttention(w, table, spec, first, count, queries, query(at, kvHead)));
            seen.ifPresent(observed::add);
            AttentionTile tile = new AttentionTile(
                    this, at, count, first, kvHead, table, seen.filter(ObservedAttention::wantsAttention));
            if (chooses) {
                choose(tile, router.orElseThrow());
            } else {
                add(tile, everything(tile));
            }
            row += count;
        }
    }

    /** The row before which a tile must end that begins at a position, so that all of it is on one side of a limit. */
    private static int until(int first, int limit, int position, int rows) {
        return first < limit ? (int) Math.min(rows, (long) limit - position) : rows;
    }

    private int query(int row, int kvHead) {
        return row * spec.queryWidth() + kvHead * spec.group() * spec.headDim();
    }

    private SlotRanges everything(AttentionTile tile) {
        PageTable table = tile.table();
        int first = firstVisible(tile);
        int last = lastVisible(tile, first);
        SlotRanges all = new SlotRanges(last - first);
        for (int p = first; p < last; p++) {
            all.add(p, 0, table.tokens(p));
        }
        return all;
    }

    private void choose(AttentionTile tile, PageRouter by) {
        Candidates candidates = new Candidates(layer, tile.kvHead(), tile.position(), tile.rows());
        PageTable table = tile.table();
        int first = firstVisible(tile);
        int last = lastVisible(tile, first);
        for (int p = first; p < last; p++) {
            Page page = table.page(p);
            int end = page.slotsBefore(Math.min(tile.position() + tile.rows(), table.length()));
            int block = by.bounds() ? PageLayout.BOUNDED_TOKENS : end;
            for (int slot = 0; slot < end; slot += block) {
                candidates.add(page, p, slot, Math.min(slot + block, end));
            }
        }
        if (by.bounds()) {
            bounds.add(new BoundItem(this, query(tile.firstRow(), tile.kvHead()), candidates));
        }
        choices.add(() -> {
            SlotRanges chosen = new SlotRanges(candidates.count());
            for (int block : PageChoice.checked(by, by.read(candidates), candidates.count())) {
                chosen.add(candidates.pageNumber(block), candidates.start(block), candidates.end(block));
            }
            add(tile, chosen);
        });
    }

    private void add(AttentionTile tile, SlotRanges read) {
        tiles.add(tile);
        PageTable table = tile.table();
        int perItem =
                tile.rows() == 1 ? Math.max(1, SPLIT_TOKENS / table.layout().tokens()) : Math.max(1, read.size());
        int[] cuts = cuts(table, read, perItem);
        tile.split(read, entries, cuts.length - 1);
        for (int s = 0; s + 1 < cuts.length; s++) {
            int from = cuts[s];
            int to = cuts[s + 1];
            Page[] pages = new Page[to - from];
            for (int i = 0; i < pages.length; i++) {
                pages[i] = table.page(read.page(from + i));
            }
            AttentionItem item = new AttentionItem(tile, pages, read.starts(from, to), read.ends(from, to), entries);
            items.add(item);
            tile.observe(item);
            entries += tile.entries();
        }
    }

    /** Where items begin, and the end: at most so many ranges each, and all of one layout. */
    private static int[] cuts(PageTable table, SlotRanges read, int perItem) {
        IntStream.Builder cuts = IntStream.builder().add(0);
        int begin = 0;
        for (int i = 1; i < read.size(); i++) {
            boolean changes = !table.page(read.page(i))
                    .layout()
                    .equals(table.page(read.page(i - 1)).layout());
            if (i - begin == perItem || changes) {
                cuts.add(i);
                begin = i;
            }
        }
        return cuts.add(read.size()).build().toArray();
    }

    /** The first page that some row of the tile sees a token of. */
    private int firstVisible(AttentionTile tile) {
        long oldest = (long) tile.position() - spec.window() + 1;
        int first = 0;
        while (first < tile.table().size() && tile.table().page(first).end() <= oldest) {
            first++;
        }
        return first;
    }

    /** One past the last. */
    private static int lastVisible(AttentionTile tile, int first) {
        PageTable table = tile.table();
        int newest = tile.position() + tile.rows() - 1;
        int last = first;
        while (last < table.size() && table.page(last).position() <= newest && table.tokens(last) > 0) {
            last++;
        }
        return last;
    }

    /**
     * @return the bounds to compute before the first item runs
     */
    public List<BoundItem> bounds() {
        return bounds;
    }

    /**
     * Asks the router, and empties the partials, after the last {@link #add} and before the first item runs.
     *
     * @return the items, in an order that the batch decides
     */
    public List<AttentionItem> start() {
        choices.forEach(Runnable::run);
        choices.clear();
        partials.reset(entries);
        return items;
    }

    /**
     * @return the attention that was wanted, once all items are complete, in the order of {@link #add}
     */
    public List<ObservedAttention> observed() {
        return observed;
    }

    /**
     * @param row a row of the batch
     * @param kvHead index of a KV head
     * @return positions of the tokens that it reads, ascending
     */
    public int[] read(int row, int kvHead) {
        return tiles.stream()
                .filter(tile -> tile.covers(row, kvHead))
                .findFirst()
                .map(tile -> tile.read(row))
                .orElseThrow();
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
