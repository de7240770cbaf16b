package org.pikv4j.cache.control;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.pikv4j.cache.compression.HalfShape;
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
 * not read again could be worth everything, and has 1. The weight of a page is computed once, and again where more has been read again.
 *
 * <p>A page that several sequences hold changes for all of them. One that somebody else holds, or still writes to, stays.
 *
 * <p>Used by one thread, between two batches; {@link #decisions} by any.
 */
public final class BudgetController {
    private static final String SHRUNK = "the budget is reached, and of smaller forms this costs least for its bytes";
    private static final String COVERED = "all else is in its smallest form; first or newest tokens, which never go";
    private static final String MOVED =
            "pages were placed anew: a shard was added or drained, or had more than its share";
    private static final String DROPPED =
            "all is in its smallest form; the text can be said again with the least of these tokens";
    private static final String DROPPED_EARLY =
            "no room to make smaller pages; the text can be said again with the least of these tokens";

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
     * Writes down that a page was placed anew.
     *
     * @param layer index of its layer
     * @param kvHead index of its KV head
     * @param tokens that it holds
     * @param page the page, where it is now
     * @param from the shard that it was on
     */
    public void moved(int layer, int kvHead, int tokens, Page page, int from) {
        String form = ladder.name(layer, page.layout());
        log.add(new Decision(
                layer,
                kvHead,
                page.position(),
                page.position(tokens - 1),
                pool.references(page),
                form,
                form,
                0,
                from,
                page.shard(),
                0,
                0,
                MOVED));
    }

    /**
     * @return what was decided so far
     */
    public Decisions decisions() {
        return log.read();
    }

    /**
     * @param caches sequences that may give way
     * @param everyone all that have pages in the pool
     * @return the pages that may be changed, until sequences grow
     */
    public HeldPages held(List<SequenceCache> caches, List<SequenceCache> everyone) {
        return new HeldPages(pool, protection, caches, everyone);
    }

    /**
     * @param held the pages that may be changed
     * @return the most that forms would free that change next to nothing, those of first and newest tokens not counted
     */
    public long nearlyFree(HeldPages held) {
        long bytes = 0;
        for (HeldPage page : shrinkable(held.free())) {
            int least = ladder.nearlyFree(page.layer());
            long smallest = ladder.rungs(page.layer()).get(least).pageBytes();
            bytes += Math.max(0, page.page().layout().pageBytes() - smallest);
        }
        return bytes;
    }

    /**
     * Frees memory by smaller forms alone, but for those of first and newest tokens.
     *
     * @param held the pages that may be changed
     * @param bytes how much is wanted
     * @return how much came of it, which may be less
     */
    public long shrink(HeldPages held, long bytes) {
        long freed = 0;
        boolean stuck = false;
        while (freed < bytes && !stuck) {
            List<HeldPage> pages = shrinkable(held.free());
            List<Curve> curves = pages.stream().map(this::curve).toList();
            int[] levels = LeastError.of(curves, bytes - freed).levels();
            long before = freed;
            boolean refused = false;
            for (int i = 0; i < levels.length; i++) {
                freed += reform(pages.get(i), curves.get(i), levels[i], SHRUNK, held);
                refused |= pages.get(i).page().fixed();
            }
            stuck = freed == before && !refused; // what does not take a smaller form is not asked again
        }
        held.gather();
        return freed;
    }

    /**
     * Frees memory by whatever costs least.
     *
     * @param held the pages that may be changed
     * @param bytes how much is wanted
     * @return how much came of it; less where nothing is left that may go
     */
    public long free(HeldPages held, long bytes) {
        long freed = shrink(held, bytes);
        if (freed < bytes) {
            freed += drop(held, bytes - freed);
            held.gather();
        }
        return freed;
    }

    /**
     * @param cache a sequence
     * @return its pages, and why they are what they are
     */
    public List<KeptPages> kept(SequenceCache cache) {
        record Group(int layer, int head, int shard, String form, String reason) {}
        Map<Group, KeptPages> groups = new LinkedHashMap<>();
        for (int layer = 0; layer < cache.layout().layers().size(); layer++) {
            for (int head = 0; head < cache.tables(layer).size(); head++) {
                PageTable table = cache.table(layer, head);
                for (int i = 0; i < table.size() && table.tokens(i) > 0; i++) {
                    PageLayout layout = table.page(i).layout();
                    String form = ladder.name(layer, layout);
                    String why = whyKept(cache, layer, head, i);
                    int shard = table.page(i).shard();
                    KeptPages one =
                            new KeptPages(layer, head, shard, form, 1, table.tokens(i), layout.pageBytes(), why);
                    groups.merge(new Group(layer, head, shard, form, why), one, KeptPages::plus);
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
        if (!table.placeable(index)) {
            return "still being filled";
        }
        if (!log.squeezed()) {
            return "all of it fits";
        }
        if (page.fixed()) {
            return "holds numbers that no smaller form takes";
        }
        if (held.covered(protection)) {
            return "first or newest tokens";
        }
        if (!page.layout().equals(ladder.rungs(layer).getLast())) {
            return "the next smaller form would cost more than what was taken instead";
        }
        return log.drops()
                ? "smallest form; its tokens are worth more than those that went"
                : "smallest form; no token had to go";
    }

    /** Those that may take a smaller form. */
    private List<HeldPage> shrinkable(List<HeldPage> pages) {
        return pages.stream()
                .filter(held -> !held.page().fixed())
                .filter(held -> ladder.rung(held.layer(), held.page().layout())
                        < ladder.rungs(held.layer()).size() - 1)
                .toList();
    }

    /** What a page's smaller forms free and cost. */
    private Curve curve(HeldPage held) {
        List<PageLayout> rungs = ladder.rungs(held.layer());
        int rung = ladder.rung(held.layer(), held.page().layout());
        float[] lost = lost(held, rungs, rung);
        double weight = held.page().summary().weight(held.knowledge(), () -> weight(held));
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
        float[] values = held.page().decoded(HalfShape.Side.VALUES);
        TokenErrors errors = new TokenErrors(held.page().layout().headDim());
        double weight = 0;
        for (int slot = 0; slot < held.tokens(); slot++) {
            weight += errors.weight(attention(held, slot), values, slot);
        }
        return weight;
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

    /** Brings a page into a smaller form, for all who hold it; returns what that frees. */
    private long reform(HeldPage held, Curve curve, int level, String reason, HeldPages all) {
        if (level == 0) {
            return 0;
        }
        List<PageLayout> rungs = ladder.rungs(held.layer());
        PageLayout from = held.page().layout();
        PageLayout to = rungs.get(ladder.rung(held.layer(), from) + level);
        Optional<Page> made = made(held.page(), to, all);
        if (made.isEmpty()) {
            return 0;
        }
        log.add(new Decision(
                held.layer(),
                held.head(),
                held.page().position(),
                held.page().position(held.tokens() - 1),
                held.places().size(),
                ladder.name(held.layer(), from),
                ladder.name(held.layer(), to),
                0,
                held.page().shard(),
                made.get().shard(),
                curve.errors()[level],
                curve.bytes()[level],
                made.get().shard() == held.page().shard()
                        ? reason
                        : reason + "; its shard has no room for both forms"));
        held.exchange(made.get());
        pool.release(made.get());
        return curve.bytes()[level];
    }

    private Optional<Page> made(Page page, PageLayout to, HeldPages all) {
        try {
            return pool.reformed(page, to);
        } catch (KvBudgetExceededException e) {
            all.gather(); // what was given back so far is spread over slabs of other forms
        }
        try {
            return pool.reformed(page, to);
        } catch (KvBudgetExceededException e) {
            return Optional.empty();
        }
    }

    /** Drops tokens, and shrinks what must not be dropped. */
    private long drop(HeldPages held, long bytes) {
        String reason = shrinkable(held.free()).isEmpty() ? DROPPED : DROPPED_EARLY;
        List<HeldPage> covered = shrinkable(held.covered());
        List<DropRun> runs = DropRun.of(held.free(), BudgetController::attention);
        List<Curve> curves = new ArrayList<>();
        covered.forEach(page -> curves.add(curve(page)));
        runs.forEach(run -> curves.add(run.curve()));
        int[] levels = LeastError.of(curves, bytes).levels();
        long freed = 0;
        for (int i = 0; i < covered.size(); i++) {
            freed += reform(covered.get(i), curves.get(i), levels[i], COVERED, held);
        }
        for (int i = runs.size() - 1; i >= 0; i--) { // the newest first: places of what is older stay what they are
            int level = levels[covered.size() + i];
            freed += level > 0 ? runs.get(i).drop(level, ladder, reason, log) : 0;
        }
        held.look();
        return freed;
    }
}
