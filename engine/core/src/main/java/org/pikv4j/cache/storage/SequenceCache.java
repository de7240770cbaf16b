package org.pikv4j.cache.storage;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.pikv4j.cache.scheduling.EvictionPolicy;

/**
 * Everything that one sequence remembers: a {@link PageTable} per layer and KV head. Has one writer, the engine's loop.
 *
 * <p>A forward pass first {@linkplain #reserve reserves} room for its rows in all tables, so that a budget that is used up
 * shows before anything is written; then appends; then {@linkplain #commit commits}.
 */
public final class SequenceCache implements AutoCloseable {
    private final CacheLayout layout;
    private final PagePool pool;
    private final List<List<PageTable>> tables; // (layer, kvHead)
    private int length;
    private boolean closed;

    /**
     * @param layout how it is cut into pages
     * @param pool where pages come from
     */
    public SequenceCache(CacheLayout layout, PagePool pool) {
        this(layout, pool, new ArrayList<>(), 0);
        for (CacheLayout.Layer layer : layout.layers()) {
            List<PageTable> heads = new ArrayList<>();
            for (int head = 0; head < layer.kvHeads(); head++) {
                heads.add(new PageTable(layer.page()));
            }
            tables.add(heads);
        }
    }

    private SequenceCache(CacheLayout layout, PagePool pool, List<List<PageTable>> tables, int length) {
        this.layout = layout;
        this.pool = pool;
        this.tables = tables;
        this.length = length;
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
     * Makes room for rows in every layer and head.
     *
     * @param rows rows that a forward pass is about to append
     * @throws org.pikv4j.error.KvBudgetExceededException if the budget does not allow it; the sequence is unchanged then
     */
    public void reserve(int rows) {
        if (closed) {
            throw new IllegalStateException("the sequence is closed");
        }
        try {
            for (List<PageTable> heads : tables) {
                for (PageTable table : heads) {
                    table.reserve(pool, rows);
                }
            }
        } catch (Throwable t) {
            rollback();
            throw t;
        }
    }

    /**
     * Makes appended rows part of the sequence, and gives back pages that have left every window.
     *
     * @param rows rows appended to every table
     */
    public void commit(int rows) {
        length += rows;
        for (int l = 0; l < tables.size(); l++) {
            int window = layout.layers().get(l).window();
            if (length >= window) {
                for (PageTable table : tables.get(l)) {
                    table.releaseBefore(pool, length - window + 1);
                }
            }
        }
    }

    /** Forgets rows appended but not committed. */
    public void rollback() {
        tables.forEach(heads -> heads.forEach(table -> table.truncate(pool, length)));
    }

    /**
     * Forgets the newest tokens. In layers with a window the pages that the shorter sequence would see may be gone; then
     * everything is forgotten.
     *
     * @param newLength how many tokens should stay, at most {@link #length()}
     * @return how many did: {@code newLength} or 0
     */
    public int truncate(int newLength) {
        if (newLength > length) {
            throw new IllegalArgumentException("cannot truncate " + length + " tokens to " + newLength);
        }
        length = newLength == length || reaches(newLength) ? newLength : 0;
        rollback();
        return length;
    }

    private boolean reaches(int newLength) {
        for (int l = 0; l < tables.size(); l++) {
            int oldestSeen = Math.max(0, newLength - layout.layers().get(l).window() + 1);
            for (PageTable table : tables.get(l)) {
                if (table.size() > 0 && table.page(0).position() > oldestSeen) {
                    return false;
                }
            }
        }
        return true;
    }

    /**
     * Lets a policy choose full pages to give back, in every layer and head; their tokens are no longer attended to there.
     *
     * @param policy the policy
     * @param rows rows that room is needed for
     * @return bytes that the pool holds less; pages shared with another sequence free nothing
     * @throws IllegalStateException if the policy chooses what is not there; nothing was evicted then
     */
    public long evict(EvictionPolicy policy, int rows) {
        List<int[]> chosen = new ArrayList<>(); // by layer and head: all answers are checked before any page goes
        for (int layer = 0; layer < tables.size(); layer++) {
            int wanted = Math.ceilDiv(rows, layout.layers().get(layer).page().tokens());
            for (int head = 0; head < tables.get(layer).size(); head++) {
                PageTable table = table(layer, head);
                List<PageSignals> full = new ArrayList<>();
                while (full.size() < table.size() && table.page(full.size()).end() <= length) {
                    full.add(table.signals(full.size()));
                }
                int[] victims = policy.victims(layer, head, List.copyOf(full), wanted);
                chosen.add(PageChoice.checked(policy, victims, full.size()));
            }
        }
        long before = pool.usage().heldBytes();
        Iterator<int[]> victims = chosen.iterator();
        for (List<PageTable> heads : tables) {
            for (PageTable table : heads) {
                int[] going = victims.next();
                for (int i = going.length - 1; i >= 0; i--) {
                    table.evict(pool, going[i]);
                }
            }
        }
        return before - pool.usage().heldBytes();
    }

    /**
     * @return a sequence that shares all pages with this one until either writes to its open page
     */
    public SequenceCache fork() {
        List<List<PageTable>> shared = new ArrayList<>();
        for (List<PageTable> heads : tables) {
            shared.add(new ArrayList<>(
                    heads.stream().map(table -> table.share(pool)).toList()));
        }
        return new SequenceCache(layout, pool, shared, length);
    }

    /**
     * @return bytes of the pages in its tables, shared ones in full
     */
    public long bytes() {
        return tables.stream()
                .flatMap(List::stream)
                .mapToLong(table -> (long) table.size() * table.layout().pageBytes())
                .sum();
    }

    /** Gives everything back; idempotent. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            length = 0;
            rollback();
        }
    }
}
