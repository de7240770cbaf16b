package org.pikv4j.cache.storage;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.stream.Stream;
import org.pikv4j.error.KvBudgetExceededException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The pages of one sequence in one layer and one KV head, by position. Tables of different heads may hold different
 * pages: what is evicted in one place is freed in that place. The last page is the open one; how far it is filled is
 * the table's knowledge, so that sequences of different lengths can share it until one of them writes.
 *
 * <p>Where the layer is compressed, full pages are sealed in the background and replaced when the {@link Residual} says.
 */
public final class PageTable {
    private static final Logger LOG = LoggerFactory.getLogger(PageTable.class);

    private final PageLayout layout;
    private final PageLayout sealed;
    private final Residual residual;
    private final TokenColumns columns;
    private final List<Page> pages = new ArrayList<>();
    private Optional<Page> copied = Optional.empty(); // by a reservation
    private int length;
    private int windowedOut; // tokens before this position have left the window, and are gone
    /** The page that the next row goes to; those after it are spare. */
    private int open;

    /**
     * @param layout of pages that are being filled
     * @param sealed of pages that are full; the same if they stay as they are
     * @param residual which ones stay as they are anyway
     * @param columns what is kept of each token, none so far
     */
    PageTable(PageLayout layout, PageLayout sealed, Residual residual, TokenColumns columns) {
        this.layout = layout;
        this.sealed = sealed;
        this.residual = residual;
        this.columns = columns;
    }

    /**
     * @return layout of pages that are being filled; sealed ones carry their own
     */
    public PageLayout layout() {
        return layout;
    }

    /**
     * @return number of pages, spare ones for rows to come included
     */
    public int size() {
        return pages.size();
    }

    /**
     * @param index place in this table
     * @return the page there
     */
    public Page page(int index) {
        return pages.get(index);
    }

    /**
     * @param index place in this table
     * @return tokens of this sequence that the page holds, 0 for a spare one
     */
    public int tokens(int index) {
        return pages.get(index).slotsBefore(length);
    }

    /**
     * @return one past the position of the newest token
     */
    public int length() {
        return length;
    }

    /**
     * Writes the row of the next position into the pages reserved for it.
     *
     * @param key holds the key row, rotated
     * @param keyOffset where it starts
     * @param value holds the value row
     * @param valueOffset where it starts
     */
    public void append(float[] key, int keyOffset, float[] value, int valueOffset) {
        while (pages.get(open).ragged() || pages.get(open).end() <= length) {
            open++;
        }
        Page page = pages.get(open);
        page.write(length - page.position(), key, keyOffset, value, valueOffset);
        columns.add();
        length++;
    }

    /**
     * Makes room for rows. When the budget does not allow it, the pages taken so far stay as spare ones, which {@link
     * #truncate} gives back.
     */
    void reserve(PagePool pool, int rows) {
        int room = room();
        if (!pages.isEmpty()) {
            Page last = pages.getLast();
            if (room > 0 && !last.layout().equals(layout)) {
                throw new IllegalStateException("a sealed page ends behind the sequence");
            }
            if (copiesLast(pool)) {
                Page copy = allocate(pool, last.position());
                copy.copyFrom(last);
                pages.set(pages.size() - 1, copy);
                copied = Optional.of(last); // kept until what was reserved is committed or rolled back
            }
        }
        for (int next = length + room; next < length + rows; next += layout.tokens()) {
            pages.add(allocate(pool, next));
        }
        open = Math.min(open, Math.max(0, pages.size() - 1));
    }

    /**
     * @param pool where pages come from
     * @param rows rows to come
     * @return what {@link #reserve} takes for them
     */
    long bytesFor(PagePool pool, int rows) {
        int room = room();
        int fresh = Math.ceilDiv(Math.max(0, rows - room), layout.tokens()) + (copiesLast(pool) ? 1 : 0);
        return (long) fresh * (layout.pageBytes() + (layout.equals(sealed) ? 0 : sealed.pageBytes()));
    }

    /** Whether the next row goes to a page that must not be written as it is. */
    private boolean copiesLast(PagePool pool) {
        if (room() == 0) {
            return false;
        }
        Page last = pages.getLast();
        return pool.shared(last)
                || last.sealing().isPresent()
                || last.shard() != Page.HERE
                || last.tier().isPresent();
    }

    private Page allocate(PagePool pool, int position) {
        boolean stays = layout.equals(sealed) || position / layout.tokens() < residual.sinkPages(layout.tokens());
        return stays ? pool.allocate(layout, position) : pool.allocate(layout, sealed, position);
    }

    /** Sends full pages on their way to their sealed form. */
    void beginSealing(PagePool pool, Executor executor) {
        for (int i = pages.size() - 1; i >= 0; i--) {
            Page page = pages.get(i);
            if (page.end() <= length) {
                if (page.sealing().isPresent() || page.target().isEmpty()) {
                    return; // and so it is with all before it
                }
                Sealing.begin(pool, page, executor);
            }
        }
    }

    /** Replaces the pages whose time has come by their sealed forms, waiting for these if need be. */
    void settle(PagePool pool) {
        int settled = residual.settledPages(length, layout.tokens());
        for (int i = pages.size() - 1; i >= 0; i--) {
            Page page = pages.get(i);
            if (page.position() / layout.tokens() < settled) {
                if (page.sealing().isEmpty()) {
                    return; // sealed, or a sink
                }
                if (page.target().isPresent()) {
                    settle(pool, i);
                }
            }
        }
    }

    private void settle(PagePool pool, int index) {
        Page page = pages.get(index);
        if (!page.sealing().orElseThrow().await()) {
            pool.refuse(page);
            return;
        }
        Page target = page.target().orElseThrow();
        target.summary().inherit(page.summary());
        pool.retain(target);
        pages.set(index, target);
        pool.release(page);
    }

    /**
     * @param newLength a shorter length
     * @return the same, or the start of the page that would be cut, if that cannot be written any more
     */
    int cut(int newLength) {
        for (int i = pages.size() - 1; i >= 0 && pages.get(i).end() > newLength; i--) {
            Page page = pages.get(i);
            if (page.position() < newLength && !page.ragged() && !page.layout().equals(layout)) {
                return page.position();
            }
        }
        return newLength;
    }

    /**
     * @return bytes of its pages in memory and of the room for their sealed forms
     */
    long bytes() {
        return pages.stream()
                .filter(page -> page.tier().isEmpty())
                .mapToLong(page -> page.layout().pageBytes()
                        + page.target()
                                .map(target -> target.layout().pageBytes())
                                .orElse(0))
                .sum();
    }

    /**
     * @return bytes of its pages on the second tier
     */
    long tierBytes() {
        return tierPages()
                .mapToLong(page -> page.block().cut().owner().blockBytes())
                .sum();
    }

    /**
     * @return its pages on the second tier, in ascending order
     */
    Stream<Page> tierPages() {
        return pages.stream().filter(page -> page.tier().isPresent());
    }

    /**
     * @return pages in memory, and one more where the page that the next row goes to is not: it is copied to be written
     */
    public int memoryPages() {
        int count = room() > 0 && pages.getLast().tier().isPresent() ? 1 : 0;
        for (Page page : pages) {
            count += page.tier().isEmpty() ? 1 : 0;
        }
        return count;
    }

    /**
     * @param index place in this table
     * @return whether the page there can move to the second tier: it is in memory, full, in the form that it has for good
     */
    public boolean movable(int index) {
        Page page = pages.get(index);
        return page.tier().isEmpty() && !page.ragged() && settled(page);
    }

    /** Moves pages to the second tier. */
    void move(PagePool pool, SecondTier tier, int[] indices) {
        for (int index : indices) {
            if (!movable(index)) {
                throw new IllegalArgumentException("page " + index + " must stay in memory");
            }
            pool.move(pages.get(index), tier);
        }
    }

    /** What was reserved is used: the page that was copied to be written is needed no more. */
    void commit(PagePool pool) {
        copied.ifPresent(pool::release);
        copied = Optional.empty();
    }

    /** Forgets what was reserved; a page that was copied takes its copy's place again. */
    void rollback(PagePool pool, int committed) {
        copied.ifPresent(original -> {
            for (int i = pages.size() - 1; i >= 0; i--) {
                if (pages.get(i).position() == original.position()) {
                    pool.release(pages.set(i, original));
                }
            }
        });
        copied = Optional.empty();
        truncate(pool, committed);
    }

    /** Forgets the tokens at and beyond a position, and gives back the pages that hold nothing else. */
    void truncate(PagePool pool, int newLength) {
        length = newLength;
        windowedOut = Math.min(windowedOut, newLength);
        while (!pages.isEmpty() && pages.getLast().position() >= length) {
            pool.release(pages.removeLast());
        }
        if (!pages.isEmpty() && pages.getLast().ragged() && pages.getLast().end() > length) {
            trim(pool);
        }
        if (room() > 0 && pages.getLast().shard() != Page.HERE && !pool.shared(pages.getLast())) {
            pool.place(
                    pages.getLast(), Page.HERE); // it is open again; where there is no room it is copied to be written
        }
        open = Math.max(0, pages.size() - 1);
        columns.truncate(tokensBefore(pages.size()));
    }

    /** Cuts the last page; if it is shared and there is no room for a copy, its tokens are gone as if they were evicted. */
    private void trim(PagePool pool) {
        Page page = pages.removeLast();
        int count = page.slotsBefore(length);
        if (!pool.shared(page)) {
            pages.add(page.trimmed(count));
            return;
        }
        try {
            pages.add(
                    page.copiedTo(pool.allocate(page.layout(), page.position())).trimmed(count));
        } catch (KvBudgetExceededException e) {
            LOG.debug("no room to cut a shared page of {} tokens", count);
        }
        pool.release(page);
    }

    /** Gives back the pages whose tokens all lie before a position. */
    void releaseBefore(PagePool pool, int position) {
        while (!pages.isEmpty() && pages.getFirst().end() <= Math.min(position, length)) {
            windowedOut = pages.getFirst().end();
            columns.remove(0, tokens(0));
            pool.release(pages.removeFirst());
            open = Math.max(0, open - 1);
        }
    }

    /**
     * @param position a position
     * @return whether all tokens from it on are there, but for those that a policy gave back
     */
    boolean reaches(int position) {
        return windowedOut <= position;
    }

    /**
     * @return what the policy keeps of each token
     */
    public TokenColumns columns() {
        return columns;
    }

    /**
     * @param page number of a page
     * @return tokens of the pages before it
     */
    public int tokensBefore(int page) {
        int tokens = 0;
        for (int i = 0; i < page; i++) {
            tokens += tokens(i);
        }
        return tokens;
    }

    /**
     * @return positions of all tokens, ascending
     */
    public int[] positions() {
        int[] positions = new int[tokensBefore(pages.size())];
        int token = 0;
        for (int p = 0; p < pages.size(); p++) {
            for (int slot = 0; slot < tokens(p); slot++) {
                positions[token++] = pages.get(p).position(slot);
            }
        }
        return positions;
    }

    /**
     * @return how many pages, from the first on, tokens can be evicted from: those that are full, in the form that they have for
     *     good
     */
    public int evictablePages() {
        int count = 0;
        while (count < pages.size() && evictable(pages.get(count))) {
            count++;
        }
        return count;
    }

    private boolean evictable(Page page) {
        return page.layout().hasPositions() && page.tier().isEmpty() && settled(page);
    }

    /** Whether a page is full, in the form that it has for good. */
    private boolean settled(Page page) {
        return page.target().isEmpty() && full(page);
    }

    private boolean full(Page page) {
        return page.slotsBefore(length) > 0 && (page.ragged() || page.end() <= length);
    }

    /**
     * @param page number of a page
     * @return whether no more tokens will come to it
     */
    public boolean full(int page) {
        return full(pages.get(page));
    }

    /**
     * @param page number of a page
     * @return whether it may move to a shard, take another form or lose tokens: it is full, in the form that it has for good, and in
     *     memory
     */
    public boolean placeable(int page) {
        return pages.get(page).tier().isEmpty() && settled(pages.get(page));
    }

    boolean uses(int shard) {
        return pages.stream().anyMatch(page -> page.shard() == shard);
    }

    /** Moves a page, if there is room for it. */
    boolean place(PagePool pool, int page, int shard) {
        if (!placeable(page)) {
            throw new IllegalArgumentException("page " + page + " is still written");
        }
        return pool.place(pages.get(page), shard);
    }

    /**
     * @return rows that the last page has room for
     */
    public int room() {
        return pages.isEmpty() || pages.getLast().ragged()
                ? 0
                : Math.max(0, pages.getLast().end() - length);
    }

    /**
     * @param kept which tokens of the {@linkplain #evictablePages evictable pages} stay, counted through
     * @return how many pages would hold them
     */
    public int pagesKept(BitSet kept) {
        int sum = 0;
        int evictable = evictablePages();
        int token = 0;
        for (int from = 0, to; from < evictable; from = to) {
            int first = token;
            for (to = from; to < evictable && sameRun(from, to); to++) {
                token += tokens(to);
            }
            sum += Math.ceilDiv(
                    kept.get(first, token).cardinality(),
                    pages.get(from).layout().tokens());
        }
        return sum;
    }

    /** Whether pages can be moved together. */
    private boolean sameRun(int page, int other) {
        return pages.get(page).layout().equals(pages.get(other).layout());
    }

    /**
     * Forgets tokens, and gives back the pages that this frees.
     *
     * @param pool where pages come from
     * @param kept which tokens of the {@linkplain #evictablePages evictable pages} stay, counted through
     */
    void keep(PagePool pool, BitSet kept) {
        int to = evictablePages();
        while (to > 0) { // newest first: places of what is older stay what they are
            int from = to - 1;
            while (from > 0 && sameRun(from - 1, from)) {
                from--;
            }
            int first = tokensBefore(from);
            BitSet ofRun = kept.get(first, tokensBefore(to));
            keep(pool, List.of(this), new int[] {from}, to - from, ofRun);
            to = from;
        }
    }

    /**
     * Forgets tokens of pages that several tables hold, in all of them.
     *
     * @param pool where pages come from
     * @param holders all tables that shall forget them
     * @param from where the pages begin in each
     * @param count how many pages, of one layout, from which tokens can be evicted in each of the tables
     * @param kept which of their tokens stay, counted through
     */
    static void keep(PagePool pool, List<PageTable> holders, int[] from, int count, BitSet kept) {
        PageTable one = holders.getFirst();
        int tokens = one.tokensBefore(from[0] + count) - one.tokensBefore(from[0]); // as long as these pages are there
        int[] first = new int[from.length];
        Arrays.setAll(first, h -> holders.get(h).tokensBefore(from[h]));
        List<Page> survivors = Compaction.compact(
                pool, List.copyOf(one.pages.subList(from[0], from[0] + count)), kept, one.length, holders.size());
        for (int h = 0; h < from.length; h++) {
            holders.get(h).replace(from[h], count, survivors);
            holders.get(h).columns.keep(first[h], tokens, kept);
        }
    }

    private void replace(int from, int count, List<Page> survivors) {
        List<Page> run = pages.subList(from, from + count);
        run.clear();
        pages.addAll(from, survivors);
        open = Math.clamp((long) open - count + survivors.size(), 0, Math.max(0, pages.size() - 1));
    }

    /** Takes a page that has the same tokens as the one there. */
    void exchange(PagePool pool, int index, Page same) {
        Page old = pages.get(index);
        pool.retain(same);
        pages.set(index, same);
        pool.release(old);
    }

    /** Writes the keys of the first tokens anew, unless they cannot be. */
    boolean rewriteKeys(PagePool pool, float[] keys, int count) {
        int last = 0;
        while (tokensBefore(last) < count) {
            if (!pages.get(last).takesRows()) {
                return false;
            }
            last++;
        }
        try {
            for (int p = 0; p < last; p++) {
                own(pool, p);
            }
        } catch (KvBudgetExceededException e) {
            return false;
        }
        int token = 0;
        for (int p = 0; p < last; p++) {
            for (int slot = 0; slot < tokens(p) && token < count; slot++, token++) {
                pages.get(p).writeKey(slot, keys, token * layout.headDim());
            }
        }
        return true;
    }

    /** Makes a page this table's alone. */
    private void own(PagePool pool, int index) {
        Page page = pages.get(index);
        if (pool.shared(page)) {
            pages.set(index, page.copiedTo(pool.allocate(page.layout(), page.position())));
            pool.release(page);
        }
    }

    /** The same pages in a new table. */
    PageTable share(PagePool pool) {
        PageTable other = new PageTable(layout, sealed, residual, columns.copy());
        for (int i = 0; i < pages.size(); i++) {
            if (tokens(i) > 0) {
                pool.retain(pages.get(i));
                other.pages.add(pages.get(i));
            }
        }
        other.length = length;
        other.windowedOut = windowedOut;
        other.open = Math.max(0, other.pages.size() - 1);
        return other;
    }
}
