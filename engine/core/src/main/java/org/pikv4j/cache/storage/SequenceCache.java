package org.pikv4j.cache.storage;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.pikv4j.cache.routing.SequenceRouting;
import org.pikv4j.cache.routing.TokenExperts;
import org.pikv4j.cache.scheduling.CacheSchedule;
import org.pikv4j.error.KvBudgetExceededException;

/**
 * Everything that one sequence remembers: a {@link PageTable} per layer and KV head. Has one writer, the engine's loop.
 *
 * <p>A forward pass first {@linkplain #reserve reserves} room for its rows in all tables, so that a budget that is used up
 * shows before anything is written; then appends; then {@linkplain #commit commits}. In a compressed cache a pass must not
 * be longer than {@link #rowsToNextChange()}.
 */
public final class SequenceCache implements AutoCloseable {
    private final CacheLayout layout;
    private final PagePool pool;
    private final Executor sealer;
    private final CacheManagers managers;
    private final Optional<TokenExperts> experts; // where somebody asks
    private final List<List<PageTable>> tables; // (layer, kvHead)
    private final List<PageTable> all;
    private int length;
    private int prompt;
    private boolean closed;

    /**
     * @param layout how it is cut into pages
     * @param pool where pages come from
     * @param sealer where full pages are brought into their sealed form
     */
    public SequenceCache(CacheLayout layout, PagePool pool, Executor sealer) {
        this(layout, pool, sealer, CacheManagers.NONE);
    }

    /**
     * @param layout how it is cut into pages
     * @param pool where pages come from
     * @param sealer where full pages are brought into their sealed form
     * @param managers who decides what becomes of the pages
     */
    public SequenceCache(CacheLayout layout, PagePool pool, Executor sealer, CacheManagers managers) {
        this(
                layout,
                pool,
                sealer,
                managers,
                managers.placer().isPresent() || managers.routing().isPresent()
                        ? Optional.of(new TokenExperts())
                        : Optional.empty(),
                tables(layout, managers.schedule()));
    }

    private static List<List<PageTable>> tables(CacheLayout layout, Optional<CacheSchedule> schedule) {
        int columns = schedule.map(CacheSchedule::columns).orElse(0);
        List<List<PageTable>> tables = new ArrayList<>();
        for (CacheLayout.Layer layer : layout.layers()) {
            int l = tables.size();
            int together = schedule.map(s -> s.headNumbers(l)).orElse(0);
            tables.add(layer.sealed().stream()
                    .map(full ->
                            new PageTable(layer.open(), full, layout.residual(), new TokenColumns(columns, together)))
                    .toList());
        }
        return tables;
    }

    private SequenceCache(
            CacheLayout layout,
            PagePool pool,
            Executor sealer,
            CacheManagers managers,
            Optional<TokenExperts> experts,
            List<List<PageTable>> tables) {
        this.layout = layout;
        this.pool = pool;
        this.sealer = sealer;
        this.managers = managers;
        this.experts = experts;
        this.tables = List.copyOf(tables);
        this.all = tables.stream().flatMap(List::stream).toList();
    }

    public CacheLayout layout() {
        return layout;
    }

    /**
     * @return positions committed so far; the next row has this position
     */
    public int length() {
        return length;
    }

    /**
     * Says that tokens are about to come.
     *
     * @param expected what the length will be then: a prompt's end
     */
    public void expect(int expected) {
        prompt = prompt == 0 ? expected : prompt;
        managers.schedule().ifPresent(s -> s.expect(expected));
    }

    /**
     * @return tokens that the sequence began with: its first prompt
     */
    public int prompt() {
        return prompt;
    }

    /**
     * @param layer index of the layer
     * @param kvHead index of the KV head
     * @return its table
     */
    public PageTable table(int layer, int kvHead) {
        return tables.get(layer).get(kvHead);
    }

    /**
     * @param layer index of the layer
     * @return its tables, by KV head
     */
    public List<PageTable> tables(int layer) {
        return tables.get(layer);
    }

    /**
     * @return the tables of all layers, by layer and KV head
     */
    public List<PageTable> tables() {
        return all;
    }

    /**
     * @return the most rows that a forward pass may append
     */
    public int rowsToNextChange() {
        int sealed = layout.compressed() ? layout.residual().rowsToNextChange(length) : Integer.MAX_VALUE;
        int rows = managers.routing()
                .filter(routing -> routing.atPageEnds(length, prompt))
                .map(routing -> Math.min(sealed, rowsToPageEnd()))
                .orElse(sealed);
        return managers.schedule()
                .map(s -> Math.min(rows, s.rowsToNextEviction(this)))
                .orElse(rows);
    }

    private int rowsToPageEnd() {
        return pageTokens() - length % pageTokens();
    }

    private int pageTokens() {
        return layout.layers().getFirst().open().tokens();
    }

    /**
     * @return what keeps it within a budget of its own
     */
    public Optional<CacheSchedule> schedule() {
        return managers.schedule();
    }

    /**
     * @return what finds shards for its pages
     */
    public Optional<PagePlacer> placer() {
        return managers.placer();
    }

    /**
     * @return what chooses what its queries read
     */
    public Optional<SequenceRouting> routing() {
        return managers.routing();
    }

    /**
     * @return the experts of its tokens, where somebody asks for them
     */
    public Optional<TokenExperts> experts() {
        return experts;
    }

    /**
     * Makes room for rows in every layer and head, after pages whose time has come have taken their sealed form.
     *
     * @param rows rows that a forward pass is about to append
     * @throws org.pikv4j.error.KvBudgetExceededException if the budget does not allow it; the sequence has the length
     *     it had, but tokens may have been evicted in the attempt
     */
    public void reserve(int rows) {
        if (closed) {
            throw new IllegalStateException("the sequence is closed");
        }
        if (rows > rowsToNextChange()) {
            throw new IllegalArgumentException(rows + " rows reach over the next change of forms");
        }
        try {
            all.forEach(table -> table.settle(pool));
            managers.schedule().ifPresent(s -> s.makeRoom(this, rows));
            reserveInTables(rows);
        } catch (Throwable t) {
            rollback();
            throw t;
        }
    }

    /**
     * Makes room for rows that will be {@linkplain #rollback forgotten} as soon as they have attended.
     *
     * @param rows at most what the schedule keeps free for this
     * @throws org.pikv4j.error.KvBudgetExceededException if the budget does not allow it; nothing has changed then
     */
    public void reserveForReplay(int rows) {
        try {
            reserveInTables(rows);
        } catch (Throwable t) {
            rollback();
            throw t;
        }
    }

    private void reserveInTables(int rows) {
        all.forEach(table -> table.reserve(pool, rows));
    }

    /**
     * Makes appended rows part of the sequence, and gives back pages that have left every window.
     *
     * @param rows rows appended to every table
     */
    public void commit(int rows) {
        int fullPages = length / pageTokens();
        length += rows;
        for (int l = 0; l < tables.size(); l++) {
            int window = layout.layers().get(l).window();
            if (length >= window) {
                for (PageTable table : tables.get(l)) {
                    table.releaseBefore(pool, length - window + 1);
                }
            }
            for (PageTable table : tables.get(l)) {
                table.commit(pool);
                table.beginSealing(pool, sealer);
            }
        }
        managers.routing().ifPresent(SequenceRouting::committed);
        if (length / pageTokens() > fullPages) {
            managers.routing().ifPresent(r -> r.pagesFull(this));
            managers.placer().ifPresent(p -> p.pagesFull(this));
        }
    }

    /** A call begins that may fail: {@link #truncate} to the length of now will bring back what is known now. */
    public void mark() {
        managers.routing().ifPresent(r -> r.mark(length));
    }

    /** Forgets rows appended but not committed. */
    public void rollback() {
        managers.routing().ifPresent(SequenceRouting::rolledBack);
        all.forEach(table -> table.rollback(pool, length));
    }

    /**
     * Forgets the newest tokens. In layers with a window the pages that the shorter sequence would see may be gone; then
     * everything is forgotten. A sealed page cannot be cut: it is forgotten whole.
     *
     * @param newLength how many tokens should stay, at most {@link #length()}
     * @return how many did, at most {@code newLength}
     */
    public int truncate(int newLength) {
        int before = length;
        if (newLength > length) {
            throw new IllegalArgumentException("cannot truncate " + length + " tokens to " + newLength);
        }
        int kept = newLength;
        int cut;
        do { // where tables hold different pages, the cut of one may fall into a sealed page of another
            cut = kept;
            for (PageTable table : all) {
                kept = table.cut(kept);
            }
        } while (kept < cut);
        length = kept == length || reaches(kept) ? kept : 0;
        prompt = length < prompt ? 0 : prompt; // what comes now is another one
        rollback();
        managers.schedule().ifPresent(s -> s.truncated(this));
        managers.routing().ifPresent(r -> r.truncated(before, length));
        return length;
    }

    private boolean reaches(int newLength) {
        for (int l = 0; l < tables.size(); l++) {
            int oldestSeen = Math.max(0, newLength - layout.layers().get(l).window() + 1);
            for (PageTable table : tables.get(l)) {
                if (!table.reaches(oldestSeen)) {
                    return false;
                }
            }
        }
        return true;
    }

    /**
     * Forgets tokens of one layer and KV head, and gives back the pages that this frees.
     *
     * @param layer index of the layer
     * @param head index of the KV head
     * @param kept which tokens of its {@linkplain PageTable#evictablePages evictable pages} stay, counted through
     */
    public void keep(int layer, int head, BitSet kept) {
        PageTable table = table(layer, head);
        Optional<SequenceRouting> routing = managers.routing();
        Runnable counted = routing.map(r -> r.evicting(layer, head, table, 0, table.evictablePages(), kept))
                .orElse(() -> {});
        try {
            table.keep(pool, kept);
            counted.run();
        } finally {
            routing.ifPresent(r -> r.summarise(this, layer, head));
        }
    }

    /**
     * Forgets tokens of pages that several sequences hold, in all of them.
     *
     * @param holders the sequences, each once
     * @param layer index of the layer
     * @param head index of the KV head
     * @param from where the pages begin in each table
     * @param count how many pages, of one layout, {@linkplain PageTable#placeable placeable} in each
     * @param kept which of their tokens stay, counted through
     */
    public static void keep(List<SequenceCache> holders, int layer, int head, int[] from, int count, BitSet kept) {
        List<PageTable> tables =
                holders.stream().map(cache -> cache.table(layer, head)).toList();
        List<Runnable> counted = new ArrayList<>();
        for (int i = 0; i < from.length; i++) {
            PageTable table = tables.get(i);
            int first = from[i];
            holders.get(i)
                    .routing()
                    .ifPresent(r -> counted.add(r.evicting(layer, head, table, first, first + count, kept)));
        }
        try {
            PageTable.keep(holders.getFirst().pool, tables, from, count, kept);
            counted.forEach(Runnable::run);
        } finally {
            holders.forEach(cache -> cache.routing().ifPresent(r -> r.summarise(cache, layer, head)));
        }
    }

    /**
     * Takes a page that has the same tokens as one of its own, in another form.
     *
     * @param layer index of the layer
     * @param head index of the KV head
     * @param index place of a {@linkplain PageTable#placeable placeable} page
     * @param same the page that takes its place, {@linkplain PagePool#reformed made} of it
     */
    public void exchange(int layer, int head, int index, Page same) {
        if (!table(layer, head).placeable(index)) {
            throw new IllegalArgumentException("page " + index + " is still written");
        }
        table(layer, head).exchange(pool, index, same);
    }

    /**
     * @param rows rows to come
     * @return what {@link #reserve} takes for them from the pool
     */
    public long bytesFor(int rows) {
        return all.stream().mapToLong(table -> table.bytesFor(pool, rows)).sum();
    }

    /**
     * Writes the keys of the first tokens of one layer and KV head anew.
     *
     * @param layer index of the layer
     * @param head index of the KV head
     * @param keys the keys, (token, headDim)
     * @param count how many tokens
     * @return whether they were written; not if they stand in a form that takes no single rows, or are shared and the budget has no
     *     room for a copy
     */
    public boolean rewriteKeys(int layer, int head, float[] keys, int count) {
        return table(layer, head).rewriteKeys(pool, keys, count);
    }

    /**
     * Moves pages of one layer and KV head to the second tier, for all who share them.
     *
     * @param layer index of the layer
     * @param head index of the KV head
     * @param pages {@linkplain PageTable#movable movable} pages
     * @throws org.pikv4j.error.KvBudgetExceededException if there is no room for all of them; some may have moved then, and
     *     the contents are the same
     */
    public void move(int layer, int head, int[] pages) {
        table(layer, head).move(pool, managers.tier().orElseThrow(), pages);
    }

    /**
     * @param shard number of a shard
     * @return whether any page lives there
     */
    public boolean uses(int shard) {
        return all.stream().anyMatch(table -> table.uses(shard));
    }

    /**
     * Moves a page of one layer and KV head to a shard, for all who share it.
     *
     * @param layer index of the layer
     * @param head index of the KV head
     * @param page number of a {@linkplain PageTable#placeable placeable} page
     * @param shard number of the shard, or {@link Page#HERE}
     * @return whether there was room for it
     */
    public boolean place(int layer, int head, int page, int shard) {
        return table(layer, head).place(pool, page, shard);
    }

    /**
     * Has a layer's pages read from the second tier ahead of time.
     *
     * @param layer index of the layer
     */
    public void prefetch(int layer) {
        managers.tier().ifPresent(t -> t.prefetch(layer, awaited(layer)));
    }

    /** Where a layer's pages on the second tier lie, as far as somebody is expected to read them. */
    private List<SizeClass.Block> awaited(int layer) {
        List<SizeClass.Block> slots = new ArrayList<>();
        for (int head = 0; head < tables.get(layer).size(); head++) {
            int of = head;
            tables.get(layer)
                    .get(head)
                    .tierPages()
                    .filter(page -> managers.routing()
                            .map(routing -> routing.expects(layer, of, page, page.slotsBefore(length), length))
                            .orElse(true))
                    .map(Page::block)
                    .forEach(slots::add);
        }
        return slots;
    }

    /**
     * Evicts because the pool is used up.
     *
     * @return bytes that the pool holds less; pages shared with another sequence free nothing
     */
    public long shrink() {
        long before = pool.usage().heldBytes();
        try {
            return managers.schedule().isPresent() && managers.schedule().get().shrink(this)
                    ? before - pool.usage().heldBytes()
                    : 0;
        } catch (KvBudgetExceededException e) {
            return 0; // what is not to be evicted is all there is
        }
    }

    /**
     * @return a sequence that shares all pages with this one until either writes to its open page
     */
    public SequenceCache fork() {
        List<List<PageTable>> shared = new ArrayList<>();
        for (List<PageTable> heads : tables) {
            shared.add(heads.stream().map(table -> table.share(pool)).toList());
        }
        SequenceCache fork =
                new SequenceCache(layout, pool, sealer, managers.copy(), experts.map(TokenExperts::copy), shared);
        fork.length = length;
        fork.prompt = prompt;
        return fork;
    }

    /**
     * @return bytes of the pages on the second tier, shared ones in full
     */
    public long tierBytes() {
        return all.stream().mapToLong(PageTable::tierBytes).sum();
    }

    /**
     * @return bytes of the pages in memory and of the room kept for their sealed forms, shared ones in full
     */
    public long bytes() {
        return all.stream().mapToLong(PageTable::bytes).sum();
    }

    /**
     * @return tokens that are left, on average over layers and KV heads
     */
    public double tokensKept() {
        return all.stream().mapToInt(table -> table.columns().size()).average().orElse(0);
    }

    /** Gives everything back; idempotent. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            length = 0;
            rollback();
            managers.tier().ifPresent(pool::leave);
        }
    }
}
