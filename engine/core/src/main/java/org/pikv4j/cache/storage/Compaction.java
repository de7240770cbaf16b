package org.pikv4j.cache.storage;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import org.pikv4j.cache.compression.HalfShape;

/**
 * Moves the survivors of an eviction together, so that whole pages come free: all but the last page of a run are full again.
 * Pages are rewritten where they are; those that another sequence shares are left to it, and fresh ones take their place.
 *
 * <p>Numbers stay as they are stored: what an exact codec, or one with scales for each token, has encoded comes out of
 * another round the same; a codec whose scales span tokens rounds once more.
 */
final class Compaction {
    private final PagePool pool;
    private final PageLayout layout;
    private final int holders;
    private final List<Page> into = new ArrayList<>();
    private final float[] keys;
    private final float[] values;
    private final float[] keptKeys;
    private final float[] keptValues;
    private final int[] positions;
    private int count;

    private Compaction(PagePool pool, PageLayout layout, int holders) {
        this.pool = pool;
        this.layout = layout;
        this.holders = holders;
        this.keys = new float[layout.keyShape().elements()];
        this.values = new float[layout.valueShape().elements()];
        this.keptKeys = new float[keys.length];
        this.keptValues = new float[values.length];
        this.positions = new int[layout.tokens()];
    }

    /**
     * @param pool where the pages are from
     * @param run full pages of one layout that nobody is about to seal, with room for positions
     * @param kept which of their tokens stay, counted through
     * @param limit positions at and beyond are not there
     * @param holders how many tables hold all of these pages, and forget the same tokens
     * @return the pages that take their place, with as many references
     * @throws org.pikv4j.error.KvBudgetExceededException if a shared page has no room for its copy; nothing has changed then
     */
    static List<Page> compact(PagePool pool, List<Page> run, BitSet kept, int limit, int holders) {
        int tokens = run.stream().mapToInt(page -> page.slotsBefore(limit)).sum();
        int needed = Math.ceilDiv(kept.cardinality(), run.getFirst().layout().tokens());
        if (kept.cardinality() == tokens && needed == run.size()) {
            return List.copyOf(run);
        }
        int full = 0; // pages that stay as they are
        int token = 0;
        int capacity = run.getFirst().layout().tokens();
        while (full < run.size()
                && kept.get(token, token + capacity).cardinality() == capacity
                && run.get(full).slotsBefore(limit) == capacity) {
            token += capacity;
            full++;
        }
        List<Page> result = new ArrayList<>(run.subList(0, full));
        List<Page> rest = run.subList(full, run.size());
        result.addAll(
                new Compaction(pool, run.getFirst().layout(), holders).rewrite(rest, kept.get(token, tokens), limit));
        return result;
    }

    private List<Page> rewrite(List<Page> sources, BitSet kept, int limit) {
        int needed = Math.ceilDiv(kept.cardinality(), layout.tokens());
        List<Optional<Page>> fresh = fresh(sources.subList(0, needed));
        int token = 0;
        for (Page source : sources) {
            int tokens = source.slotsBefore(limit);
            layout.form().keys().codec().decode(layout.keyShape(), source.keys(), keys);
            layout.form().values().codec().decode(layout.valueShape(), source.values(), values);
            for (int slot = 0; slot < tokens; slot++, token++) {
                if (kept.get(token)) {
                    take(source, slot);
                    if (count == layout.tokens()) {
                        write(sources, fresh);
                    }
                }
            }
        }
        if (count > 0) {
            write(sources, fresh);
        }
        for (int i = 0; i < sources.size(); i++) {
            for (int h = 0; h < holders && (i >= needed || fresh.get(i).isPresent()); h++) {
                pool.release(sources.get(i));
            }
        }
        return into;
    }

    /** Pages for those that must not be written. */
    private List<Optional<Page>> fresh(List<Page> sources) {
        List<Optional<Page>> fresh = new ArrayList<>();
        try {
            for (Page source : sources) {
                fresh.add(
                        pool.references(source) > holders
                                ? Optional.of(pool.allocate(layout, source.position()))
                                : Optional.empty());
            }
        } catch (Throwable t) {
            fresh.forEach(page -> page.ifPresent(pool::release));
            throw t;
        }
        return fresh;
    }

    private void take(Page source, int slot) {
        positions[count] = source.position(slot);
        move(layout.keyShape(), keys, slot, keptKeys, count);
        move(layout.valueShape(), values, slot, keptValues, count);
        count++;
    }

    private static void move(HalfShape shape, float[] from, int slot, float[] to, int into) {
        for (int i = 0; i < shape.width(); i++) {
            to[shape.index(into, i)] = from[shape.index(slot, i)];
        }
    }

    /** Into the page at the next place; what that held has been read. */
    private void write(List<Page> sources, List<Optional<Page>> fresh) {
        Page page = fresh.get(into.size()).orElse(sources.get(into.size()));
        layout.form().keys().codec().encode(layout.keyShape(), keptKeys, page.keys());
        layout.form().values().codec().encode(layout.valueShape(), keptValues, page.values());
        Page rewritten = page.rewritten(positions, count);
        for (int h = 1; h < holders; h++) {
            pool.retain(rewritten);
        }
        into.add(rewritten);
        count = 0;
        Arrays.fill(keptKeys, 0f); // what is in empty slots has a part in choosing scales
        Arrays.fill(keptValues, 0f);
    }
}
