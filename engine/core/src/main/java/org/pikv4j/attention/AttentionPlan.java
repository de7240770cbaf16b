package org.pikv4j.attention;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
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
 * One layer's attention for a ragged batch. Pages that live on shards are not attended to here: their shards are {@linkplain #asked
 * asked}, and what they {@linkplain #answer answer} is merged as if it had been computed here.
 */
public final class AttentionPlan extends AttentionWork {
    /**
     * Query rows per tile: enough to reuse a widened page, few enough that its scores stay in the first-level cache. Tiles end at
     * positions that are multiples of it, so that what is told of them does not depend on how a prompt was cut.
     */
    public static final int TILE_ROWS = 16;

    private final float[] out;
    private final int layer;
    private final List<AttentionTile> tiles = new ArrayList<>();
    private final List<ObservedAttention> observed = new ArrayList<>();
    private final List<BoundItem> bounds = new ArrayList<>();
    private final List<Runnable> choices = new ArrayList<>(); // once the bounds stand
    private final Map<Integer, ShardQuery.Builder> asked = new TreeMap<>();

    /**
     * @param spec the layer's attention
     * @param queries rotated queries, (row, heads, headDim)
     * @param out receives the attention output, (row, heads, headDim)
     * @param partials room for partials, reused from plan to plan
     * @param layer index of the layer, for routers
     */
    public AttentionPlan(AttentionSpec spec, float[] queries, float[] out, Partials partials, int layer) {
        super(spec, queries, partials);
        this.layer = layer;
        this.out = out;
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
        add(firstRow, rows, position, kvHead, table, Reading.PLAIN);
    }

    /**
     * Adds consecutive rows of one sequence, for one KV head, that may not read everything, or whose attention is wanted, too:
     * {@link #observed}.
     *
     * @param firstRow row of the batch that the first query stands in
     * @param rows number of rows
     * @param position position of the first row
     * @param kvHead index of the KV head
     * @param table its pages, the rows' own keys and values included
     * @param reading who has a say, and who wants to know
     */
    public void add(int firstRow, int rows, int position, int kvHead, PageTable table, Reading reading) {
        Optional<? extends PageRouter> router = reading.router();
        int choosesFrom =
                router.map(by -> by.choosesFrom(layer, reading.prompt())).orElse(Integer.MAX_VALUE);
        boolean oneByOne = router.filter(PageRouter::rowByRow).isPresent();
        int row = 0;
        while (row < rows) {
            int at = firstRow + row;
            int first = position + row;
            boolean chooses = first >= choosesFrom;
            int until = until(first, choosesFrom, position, rows);
            for (AttentionWatcher watcher : reading.watchers()) {
                until = Math.min(until, until(first, watcher.watchedFrom(), position, rows));
            }
            int count = chooses && oneByOne ? 1 : Math.min(TILE_ROWS - first % TILE_ROWS, until - row);
            List<ObservedAttention> seen = new ArrayList<>();
            for (AttentionWatcher watcher : reading.watchers()) {
                if (first >= watcher.watchedFrom()) {
                    seen.add(new ObservedAttention(watcher, table, spec(), first, count, queries(), query(at, kvHead)));
                }
            }
            observed.addAll(seen);
            AttentionTile tile = new AttentionTile(
                    this,
                    query(at, kvHead),
                    spec().queryWidth(),
                    count,
                    first,
                    seen.stream().filter(ObservedAttention::wantsAttention).toList());
            if (chooses) {
                choose(tile, kvHead, table, router.orElseThrow());
            } else {
                add(tile, everything(tile, table));
            }
            row += count;
        }
    }

    /** The row before which a tile must end that begins at a position, so that all of it is on one side of a limit. */
    private static int until(int first, int limit, int position, int rows) {
        return first < limit ? (int) Math.min(rows, (long) limit - position) : rows;
    }

    private int query(int row, int kvHead) {
        return row * spec().queryWidth() + kvHead * spec().group() * spec().headDim();
    }

    private SlotRanges everything(AttentionTile tile, PageTable table) {
        int first = firstVisible(tile, table);
        int last = lastVisible(tile, table, first);
        SlotRanges all = new SlotRanges(last - first);
        for (int p = first; p < last; p++) {
            all.add(table.page(p), p, 0, table.tokens(p));
        }
        return all;
    }

    private void choose(AttentionTile tile, int kvHead, PageTable table, PageRouter by) {
        Candidates candidates =
                new Candidates(layer, kvHead, tile.position(), tile.rows(), spec(), queries(), tile.queryOffset(0));
        int first = firstVisible(tile, table);
        int last = lastVisible(tile, table, first);
        for (int p = first; p < last; p++) {
            Page page = table.page(p);
            int end = page.slotsBefore(Math.min(tile.position() + tile.rows(), table.length()));
            int block = by.bounds() ? PageLayout.BOUNDED_TOKENS : end;
            for (int slot = 0; slot < end; slot += block) {
                candidates.add(page, p, slot, Math.min(slot + block, end));
            }
        }
        if (by.bounds()) {
            bounds.add(new BoundItem(this, tile.queryOffset(0), candidates));
        }
        choices.add(() -> {
            int[] blocks = PageChoice.checked(by, by.read(candidates), candidates.count());
            SlotRanges chosen = new SlotRanges(blocks.length);
            for (int block : blocks) {
                chosen.add(
                        candidates.page(block),
                        candidates.pageNumber(block),
                        candidates.start(block),
                        candidates.end(block));
            }
            add(tile, chosen);
        });
    }

    private void add(AttentionTile tile, SlotRanges read) {
        tiles.add(tile);
        int first = entries();
        tile.split(read, first, here(read) ? cut(tile, read) : spread(tile, read));
    }

    private static boolean here(SlotRanges read) {
        for (int i = 0; i < read.size(); i++) {
            if (read.page(i).shard() != Page.HERE) {
                return false;
            }
        }
        return true;
    }

    /** The part of this place comes first, then those of the shards in their order. */
    private int spread(AttentionTile tile, SlotRanges read) {
        Map<Integer, SlotRanges> places = new TreeMap<>();
        for (int i = 0; i < read.size(); i++) {
            places.computeIfAbsent(read.page(i).shard(), shard -> new SlotRanges(read.size()))
                    .add(read.page(i), read.number(i), read.start(i), read.end(i));
        }
        int parts = 0;
        for (Map.Entry<Integer, SlotRanges> place : places.entrySet()) {
            if (place.getKey() == Page.HERE) {
                parts += cut(tile, place.getValue());
            } else {
                asked.computeIfAbsent(place.getKey(), shard -> new ShardQuery.Builder(shard, layer, spec()))
                        .add(tile, place.getValue(), room(tile));
                parts++;
            }
        }
        return parts;
    }

    /** The first page that some row of the tile sees a token of. */
    private int firstVisible(AttentionTile tile, PageTable table) {
        long oldest = (long) tile.position() - spec().window() + 1;
        int first = 0;
        while (first < table.size() && table.page(first).end() <= oldest) {
            first++;
        }
        return first;
    }

    /** One past the last. */
    private static int lastVisible(AttentionTile tile, PageTable table, int first) {
        int newest = tile.position() + tile.rows() - 1;
        int last = first;
        while (last < table.size() && table.page(last).position() <= newest && table.tokens(last) > 0) {
            last++;
        }
        return last;
    }

    @Override
    public List<BoundItem> bounds() {
        return bounds;
    }

    @Override
    void decide() {
        choices.forEach(Runnable::run);
        choices.clear();
    }

    /**
     * @return what shards are to be asked, one query each, ascending, once the plan has {@linkplain #start started}
     */
    public List<ShardQuery> asked() {
        return asked.values().stream().map(ShardQuery.Builder::build).toList();
    }

    /**
     * Takes what a shard has found out. Once for each query, by one thread at a time.
     *
     * @param query what it was asked
     * @param answer what it says
     */
    public void answer(ShardQuery query, ShardAnswer answer) {
        Objects.requireNonNull(asked.get(query.shard())).answer(answer, partials());
    }

    @Override
    void merged(AttentionTile tile) {
        int group = spec().group();
        for (int i = 0; i < tile.entries(); i++) {
            int at = tile.queryOffset(i / group) + i % group * spec().headDim();
            partials().normalise(tile.firstEntry() + i, out, at);
        }
        tile.tell();
    }

    /**
     * @return the attention that was wanted, once all parts are complete, in the order of {@link #add}
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
        int query = query(row, kvHead);
        return tiles.stream()
                .filter(tile -> tile.covers(query))
                .findFirst()
                .map(tile -> tile.read(query))
                .orElseThrow();
    }
}
