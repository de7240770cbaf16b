package org.pikv4j.cache.control;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.pikv4j.cache.compression.HalfForm;
import org.pikv4j.cache.scheduling.CacheSchedule;
import org.pikv4j.cache.scheduling.Protection;
import org.pikv4j.cache.scheduling.policies.KvZip;
import org.pikv4j.cache.storage.Page;
import org.pikv4j.cache.storage.PageLayout;
import org.pikv4j.cache.storage.PagePool;
import org.pikv4j.cache.storage.PageTable;
import org.pikv4j.cache.storage.SequenceCache;
import org.pikv4j.error.KvBudgetExceededException;

/**
 * Decides what gives way where memory is short, over all sequences, layers and KV heads at once. First full pages take smaller forms,
 * step by step down the {@link Ladder}, where that costs the least error for each byte ({@link LeastError}). Once all of them are in
 * the smallest, tokens go, by the same measure, and the pages of those tokens that never go become smaller, too.
 *
 * <p>What a page costs is estimated as Σp·|v| times what the form loses of keys and values of its head, and a token as p·|o′ − v|
 * ({@link TokenErrors}). p is the most attention that any query paid to the token while the model read the text again; a token that was
 * not read again could be worth everything, and has 1.
 *
 * <p>A page that several sequences hold changes for all of them. One that somebody else holds, or still writes to, stays.
 *
 * <p>Used by one thread, between two batches; {@link #decisions} by any.
 */
public final class BudgetController {
    private static final String SHRUNK = "the budget is reached, and this costs least for its bytes";
    private static final String COVERED = "all else is in its smallest form; first or newest tokens, which never go";
    private static final String DROPPED =
            "all is in its smallest form; the text can be said again with the least of these tokens";

    private final Ladder ladder;
    private final PagePool pool;
    private final Protection protection;
    private final DecisionLog log = new DecisionLog();

    /**
     * @param ladder the forms that pages may take
     * @param pool where pages come from
     * @param protection tokens that stay
     */
    public BudgetController(Ladder ladder, PagePool pool, Protection protection) {
        this.ladder = ladder;
        this.pool = pool;
        this.protection = protection;
    }

    /**
     * @return what was decided so far
     */
    public Decisions decisions() {
        return log.read();
    }

    /**
     * @param caches sequences that may give way
     * @return the most that forms would free that change next to nothing, those of first and newest tokens not counted
     */
    public long nearlyFree(List<SequenceCache> caches) {
        long bytes = 0;
        for (HeldPage held : uncovered(caches)) {
            long least = ladder.rungs(held.layer())
                    .get(ladder.nearlyFree(held.layer()))
                    .pageBytes();
            bytes += Math.max(0, held.page().layout().pageBytes() - least);
        }
        return bytes;
    }

    /**
     * Frees memory by smaller forms alone, but for those of first and newest tokens.
     *
     * @param caches sequences that may give way
     * @param bytes how much is wanted
     * @return how much came of it, which may be less
     */
    public long shrink(List<SequenceCache> caches, long bytes) {
        long freed = 0;
        boolean stuck = false;
        while (freed < bytes && !stuck) {
            List<HeldPage> pages =
                    uncovered(caches).stream().filter(this::mayShrink).toList();
            List<Curve> curves = pages.stream().map(this::curve).toList();
            LeastError chosen = LeastError.of(curves, bytes - freed);
            int fixed = 0;
            long before = freed;
            for (int i = 0; i < pages.size(); i++) {
                int level = chosen.levels()[i];
                if (level > 0) {
                    freed += reform(pages.get(i), curves.get(i), level, SHRUNK, caches);
                    fixed += pages.get(i).page().fixed() ? 1 : 0;
                }
            }
            // What does not take a smaller form is not asked again; looking at what has none left costs a decoding of
            // all.
            stuck = freed == before && fixed == 0;
        }
        return freed;
    }

    /**
     * Frees memory by whatever costs least.
     *
     * @param caches sequences that may give way
     * @param bytes how much is wanted
     * @return how much came of it; less where nothing is left that may go
     */
    public long free(List<SequenceCache> caches, long bytes) {
        long freed = shrink(caches, bytes);
        if (freed < bytes) {
            freed += drop(caches, bytes - freed);
        }
        pool.gather(pages(caches));
        return freed;
    }

    /**
     * @param cache a sequence
     * @return its pages, and why they are what they are
     */
    public List<KeptPages> kept(SequenceCache cache) {
        record Group(int layer, int head, String form, String reason) {}
        Map<Group, KeptPages> groups = new LinkedHashMap<>();
        for (int layer = 0; layer < cache.layout().layers().size(); layer++) {
            for (int head = 0; head < cache.tables(layer).size(); head++) {
                PageTable table = cache.table(layer, head);
                for (int i = 0; i < table.size() && table.tokens(i) > 0; i++) {
                    PageLayout layout = table.page(i).layout();
                    String form = ladder.name(layer, layout);
                    String why = whyKept(cache, layer, head, i);
                    KeptPages one = new KeptPages(layer, head, form, 1, table.tokens(i), layout.pageBytes(), why);
                    groups.merge(new Group(layer, head, form, why), one, KeptPages::plus);
                }
            }
        }
        return List.copyOf(groups.values());
    }

    private String whyKept(SequenceCache cache, int layer, int head, int index) {
        PageTable table = cache.table(layer, head);
        Page page = table.page(index);
        HeldPage held = new HeldPage(page, layer, head);
        held.places().add(new HeldPage.Place(cache, index, 0));
        if (!table.changeable(index)) {
            return "still being filled";
        }
        if (page.fixed()) {
            return "holds numbers that no smaller form takes";
        }
        if (held.covered(protection)) {
            return "first or newest tokens";
        }
        return page.layout().equals(ladder.rungs(layer).getLast())
                ? "smallest form; its tokens are worth more than those that went"
                : "the next smaller form would cost more than what was taken instead";
    }

    private List<HeldPage> uncovered(List<SequenceCache> caches) {
        return held(caches).stream()
                .filter(page -> !page.page().fixed() && !page.covered(protection))
                .toList();
    }

    /** All pages that may be changed, the oldest first. */
    private List<HeldPage> held(List<SequenceCache> caches) {
        Map<Page, HeldPage> all = new LinkedHashMap<>();
        for (SequenceCache cache : caches) {
            for (int layer = 0; layer < cache.layout().layers().size(); layer++) {
                for (int head = 0; head < cache.tables(layer).size(); head++) {
                    PageTable table = cache.table(layer, head);
                    int token = 0;
                    for (int i = 0; i < table.size(); i++) {
                        if (table.changeable(i)) {
                            HeldPage page = new HeldPage(table.page(i), layer, head);
                            all.computeIfAbsent(table.page(i), any -> page)
                                    .places()
                                    .add(new HeldPage.Place(cache, i, token));
                        }
                        token += table.tokens(i);
                    }
                }
            }
        }
        return all.values().stream()
                .filter(page -> pool.references(page.page()) == page.places().size())
                .sorted(Comparator.comparingInt((HeldPage page) -> page.page().position()))
                .toList();
    }

    private static List<Page> pages(List<SequenceCache> caches) {
        Set<Page> all = new LinkedHashSet<>();
        for (SequenceCache cache : caches) {
            for (int layer = 0; layer < cache.layout().layers().size(); layer++) {
                for (PageTable table : cache.tables(layer)) {
                    for (int i = 0; i < table.size(); i++) {
                        all.add(table.page(i));
                    }
                }
            }
        }
        return List.copyOf(all);
    }

    private boolean mayShrink(HeldPage held) {
        return ladder.rung(held.layer(), held.page().layout())
                < ladder.rungs(held.layer()).size() - 1;
    }

    /** What a page's smaller forms free and cost. */
    private Curve curve(HeldPage held) {
        List<PageLayout> rungs = ladder.rungs(held.layer());
        int rung = ladder.rung(held.layer(), held.page().layout());
        float[] lost = lost(held, rungs, rung);
        double weight = weight(held);
        long[] bytes = new long[rungs.size() - rung];
        double[] errors = new double[bytes.length];
        for (int i = 1; i < bytes.length; i++) {
            bytes[i] = rungs.get(rung).pageBytes() - rungs.get(rung + i).pageBytes();
            errors[i] = weight * (lost[rung + i] - lost[rung]);
        }
        return new Curve(bytes, errors);
    }

    /**
     * What forms lose in a head, measured on the first page that is asked for and kept with all sequences that hold it: one that
     * measured later, on what is smaller already, would take the first steps for free.
     */
    private static float[] lost(HeldPage held, List<PageLayout> rungs, int rung) {
        int last = rungs.size() - 1;
        List<float[]> all = held.places().stream()
                .map(place -> held.table(place).columns().together())
                .toList();
        float[] lost = all.stream().filter(of -> of[last] != 0).findFirst().orElse(all.getFirst());
        if (lost[last] == 0 && !FormErrors.measure(held.page(), rungs, rung, lost)) {
            Arrays.fill(lost, 0); // it will be refused, and the next page is measured
        }
        for (float[] of : all) {
            if (of[last] == 0) {
                System.arraycopy(lost, 0, of, 0, of.length);
            }
        }
        return lost;
    }

    private static double weight(HeldPage held) {
        float[] values = values(held.page());
        TokenErrors errors = new TokenErrors(held.page().layout().headDim());
        double weight = 0;
        for (int slot = 0; slot < held.tokens(); slot++) {
            weight += errors.weight(attention(held, slot), values, slot);
        }
        return weight;
    }

    private static float[] values(Page page) {
        PageLayout layout = page.layout();
        float[] values = new float[layout.tokens() * layout.headDim()];
        HalfForm form = layout.form().values();
        form.decode(layout.valueShape(), page.values(), layout.headDim(), values);
        return values;
    }

    /** The most of what any of those who hold a token knows. */
    private static float attention(HeldPage held, int slot) {
        float most = 0;
        for (HeldPage.Place place : held.places()) {
            most = Math.max(most, attention(place.cache(), held, place.token() + slot, slot));
        }
        return most;
    }

    private static float attention(SequenceCache cache, HeldPage held, int token, int slot) {
        int known = cache.schedule().map(CacheSchedule::replayed).orElse(0);
        return held.page().position(slot) < known
                ? Math.min(1f, cache.table(held.layer(), held.head()).columns().column(KvZip.MOST)[token])
                : 1f;
    }

    /** Brings a page into a smaller form, for all who hold it. */
    private long reform(HeldPage held, Curve curve, int level, String reason, List<SequenceCache> caches) {
        List<PageLayout> rungs = ladder.rungs(held.layer());
        PageLayout from = held.page().layout();
        PageLayout to = rungs.get(ladder.rung(held.layer(), from) + level);
        Optional<Page> made = made(held.page(), to, caches);
        made.ifPresent(page -> {
            log.add(new Decision(
                    held.layer(),
                    held.head(),
                    held.page().position(),
                    held.page().position(held.tokens() - 1),
                    held.places().size(),
                    ladder.name(held.layer(), from),
                    ladder.name(held.layer(), to),
                    0,
                    curve.errors()[level],
                    curve.bytes()[level],
                    reason));
            held.places().forEach(place -> place.cache().exchange(held.layer(), held.head(), place.index(), page));
            pool.release(page);
        });
        return made.isPresent() ? curve.bytes()[level] : 0;
    }

    private Optional<Page> made(Page page, PageLayout to, List<SequenceCache> caches) {
        try {
            return pool.reformed(page, to);
        } catch (KvBudgetExceededException e) {
            pool.gather(pages(caches)); // what was given back so far is spread over slabs of other forms
        }
        try {
            return pool.reformed(page, to);
        } catch (KvBudgetExceededException e) {
            return Optional.empty();
        }
    }

    /** Drops tokens, and shrinks what must not be dropped. */
    private long drop(List<SequenceCache> caches, long bytes) {
        List<HeldPage> pages = held(caches);
        List<HeldPage> covered = pages.stream()
                .filter(page -> page.covered(protection) && !page.page().fixed())
                .toList();
        List<DropRun> runs = DropRun.of(
                pages.stream().filter(page -> !page.covered(protection)).toList(), BudgetController::attention);
        List<Curve> curves = new ArrayList<>();
        covered.forEach(page -> curves.add(curve(page)));
        runs.forEach(run -> curves.add(run.curve()));
        LeastError chosen = LeastError.of(curves, bytes);
        long freed = 0;
        for (int i = 0; i < covered.size(); i++) {
            int level = chosen.levels()[i];
            freed += level > 0 ? reform(covered.get(i), curves.get(i), level, COVERED, caches) : 0;
        }
        for (int i = runs.size() - 1; i >= 0; i--) { // the newest first: places of what is older stay what they are
            int level = chosen.levels()[covered.size() + i];
            freed += level > 0 ? runs.get(i).drop(level, ladder, DROPPED, log) : 0;
        }
        return freed;
    }
}
