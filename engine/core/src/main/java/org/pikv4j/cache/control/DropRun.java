package org.pikv4j.cache.control;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.pikv4j.cache.compression.HalfShape;
import org.pikv4j.cache.scheduling.Highest;
import org.pikv4j.cache.storage.Page;
import org.pikv4j.cache.storage.PageLayout;
import org.pikv4j.cache.storage.SequenceCache;

/**
 * Pages in a row, in one form and held by the same sequences: those of their tokens that are worth least can go, and the others move
 * together, so that whole pages come free.
 */
final class DropRun {
    private final List<HeldPage> pages;
    private final float[] errors; // by token
    private final Curve curve;

    /** What is known of a token. */
    interface Attention {
        /**
         * @param page a page
         * @param slot one of its tokens
         * @return its share of the attention
         */
        float of(HeldPage page, int slot);
    }

    private DropRun(List<HeldPage> pages, float[] errors) {
        this.pages = pages;
        this.errors = errors;
        this.curve = curve(errors, pages.size(), pages.getFirst().page().layout());
    }

    /**
     * @param pages all that may lose tokens
     * @param attention what is known of these
     * @return the runs that they make; of one table in ascending order
     */
    static List<DropRun> of(List<HeldPage> pages, Attention attention) {
        List<HeldPage> inOrder = pages.stream()
                .sorted(Comparator.comparingInt(HeldPage::layer).thenComparingInt(HeldPage::head))
                .toList();
        List<List<HeldPage>> runs = new ArrayList<>();
        Map<SequenceCache, List<HeldPage>> last = new HashMap<>(); // of each sequence that is first to hold some
        for (HeldPage page : inOrder) {
            SequenceCache first = page.places().getFirst().cache();
            List<HeldPage> run = last.get(first);
            if (run == null || !page.follows(run.getLast())) {
                run = new ArrayList<>();
                runs.add(run);
                last.put(first, run);
            }
            run.add(page);
        }
        Map<Head, TokenErrors> heads = new HashMap<>();
        List<TokenErrors> means = new ArrayList<>();
        List<float[]> values = new ArrayList<>();
        for (List<HeldPage> run : runs) {
            HeldPage first = run.getFirst();
            means.add(heads.computeIfAbsent(
                    new Head(first.places().getFirst().cache(), first.layer(), first.head()),
                    any -> new TokenErrors(first.page().layout().headDim())));
            values.add(see(run, attention, means.getLast()));
        }
        List<DropRun> all = new ArrayList<>();
        for (int i = 0; i < runs.size(); i++) {
            all.add(new DropRun(runs.get(i), errors(runs.get(i), attention, values.get(i), means.get(i))));
        }
        return all;
    }

    private record Head(SequenceCache cache, int layer, int head) {}

    private static float[] see(List<HeldPage> run, Attention attention, TokenErrors mean) {
        PageLayout layout = run.getFirst().page().layout();
        int width = layout.headDim();
        float[] values = new float[run.size() * layout.tokens() * width];
        float[] page = new float[layout.tokens() * width];
        int token = 0;
        for (HeldPage held : run) {
            held.page().decode(HalfShape.Side.VALUES, page);
            System.arraycopy(page, 0, values, token * width, held.tokens() * width);
            for (int slot = 0; slot < held.tokens(); slot++, token++) {
                mean.see(attention.of(held, slot), values, token);
            }
        }
        return values;
    }

    private static float[] errors(List<HeldPage> run, Attention attention, float[] values, TokenErrors mean) {
        float[] errors = new float[run.stream().mapToInt(HeldPage::tokens).sum()];
        int token = 0;
        for (HeldPage held : run) {
            for (int slot = 0; slot < held.tokens(); slot++, token++) {
                errors[token] = mean.without(attention.of(held, slot), values, token);
            }
        }
        return errors;
    }

    /** Level j: j pages less. */
    private static Curve curve(float[] errors, int pages, PageLayout layout) {
        float[] sorted = errors.clone();
        Arrays.sort(sorted);
        long[] bytes = new long[pages + 1];
        double[] sums = new double[pages + 1];
        double sum = 0;
        int token = 0;
        for (int level = 1; level <= pages; level++) {
            for (; token < sorted.length - (pages - level) * layout.tokens(); token++) {
                sum += sorted[token];
            }
            bytes[level] = (long) level * layout.pageBytes();
            sums[level] = sum;
        }
        return new Curve(bytes, sums);
    }

    /**
     * @return what fewer pages free and cost
     */
    Curve curve() {
        return curve;
    }

    /**
     * Drops tokens.
     *
     * @param level how many pages come free
     * @param ladder names forms
     * @param reason why
     * @param log where that is written down
     * @return bytes freed
     */
    long drop(int level, Ladder ladder, String reason, DecisionLog log) {
        HeldPage first = pages.getFirst();
        Page last = pages.getLast().page();
        String form = ladder.name(first.layer(), last.layout());
        BitSet kept = Highest.of(errors, (pages.size() - level) * last.layout().tokens());
        Decision decision = new Decision(
                first.layer(),
                first.head(),
                first.page().position(),
                last.position(pages.getLast().tokens() - 1),
                first.places().size(),
                form,
                form,
                errors.length - kept.cardinality(),
                first.page().shard(),
                first.page().shard(),
                curve.errors()[level],
                curve.bytes()[level],
                reason);
        SequenceCache.keep(
                first.places().stream().map(HeldPage.Place::cache).toList(),
                first.layer(),
                first.head(),
                first.places().stream().mapToInt(HeldPage.Place::index).toArray(),
                pages.size(),
                kept);
        log.add(decision);
        return curve.bytes()[level];
    }
}
