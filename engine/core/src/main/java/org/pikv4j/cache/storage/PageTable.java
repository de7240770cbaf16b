package org.pikv4j.cache.storage;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;

/**
 * The pages of one sequence in one layer and one KV head, by position. Tables of different heads may hold different
 * pages: what is evicted in one place is freed in that place. The last page is the open one; how far it is filled is
 * the table's knowledge, so that sequences of different lengths can share it until one of them writes.
 *
 * <p>Where the layer is compressed, full pages are sealed in the background and replaced when the {@link Residual} says.
 */
public final class PageTable {
    private final PageLayout layout;
    private final PageLayout sealed;
    private final Residual residual;
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
     */
    PageTable(PageLayout layout, PageLayout sealed, Residual residual) {
        this.layout = layout;
        this.sealed = sealed;
        this.residual = residual;
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
        return Math.clamp(length - pages.get(index).position(), 0, layout.tokens());
    }

    /**
     * @param index place in this table
     * @return what is known of the page there
     */
    public PageSignals signals(int index) {
        return new PageSignals(pages.get(index).position(), tokens(index));
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
        while (pages.get(open).end() <= length) {
            open++;
        }
        Page page = pages.get(open);
        page.write(length - page.position(), key, keyOffset, value, valueOffset);
        length++;
    }

    /**
     * Makes room for rows. When the budget does not allow it, the pages taken so far stay as spare ones, which {@link
     * #truncate} gives back.
     */
    void reserve(PagePool pool, int rows) {
        int room = 0;
        if (!pages.isEmpty()) {
            Page last = pages.getLast();
            room = Math.max(0, last.end() - length);
            if (room > 0 && !last.layout().equals(layout)) {
                throw new IllegalStateException("a sealed page ends behind the sequence");
            }
            if (room > 0 && (pool.shared(last) || last.sealing().isPresent())) {
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
            if (page.position() < newLength && !page.layout().equals(layout)) {
                return page.position();
            }
        }
        return newLength;
    }

    /**
     * @return bytes of its pages and of the room for their sealed forms
     */
    long bytes() {
        return pages.stream()
                .mapToLong(page -> page.layout().pageBytes()
                        + page.target()
                                .map(target -> target.layout().pageBytes())
                                .orElse(0))
                .sum();
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
        open = Math.max(0, pages.size() - 1);
    }

    /** Gives back the pages whose tokens all lie before a position. */
    void releaseBefore(PagePool pool, int position) {
        while (!pages.isEmpty() && pages.getFirst().end() <= Math.min(position, length)) {
            windowedOut = pages.getFirst().end();
            evict(pool, 0);
        }
    }

    /**
     * @param position a position
     * @return whether all tokens from it on are there, but for those that a policy gave back
     */
    boolean reaches(int position) {
        return windowedOut <= position;
    }

    /** Gives back one full page, wherever it stands. */
    void evict(PagePool pool, int index) {
        pool.release(pages.remove(index));
        open = Math.max(0, Math.min(open, pages.size()) - 1);
    }

    /** The same pages in a new table. */
    PageTable share(PagePool pool) {
        PageTable other = new PageTable(layout, sealed, residual);
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
