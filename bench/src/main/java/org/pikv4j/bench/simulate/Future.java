package org.pikv4j.bench.simulate;

import java.util.Arrays;
import org.pikv4j.cache.scheduling.Protection;

/**
 * What the steps after a cut will use of the tokens before it, in one layer and KV head. With it, whatever is kept at the cut is
 * judged without a second look at the steps, and the clairvoyant choices are known, after Belady ("A study of replacement
 * algorithms for a virtual-storage computer", IBM Systems Journal 5, 1966): keep what the future uses most.
 */
final class Future {
    private final double[] mass;
    private final double[] tops;
    private long reads;
    private double newerHits;
    private double newerMass;

    /**
     * @param cut tokens before this position may be evicted
     */
    Future(int cut) {
        mass = new double[cut];
        tops = new double[cut];
    }

    /** Takes notice of a step after the cut. */
    void note(int position, int first, double[] shares, int top) {
        reads++;
        for (int t = first; t < mass.length; t++) {
            mass[t] += shares[t];
        }
        for (int t = Math.max(first, mass.length); t <= position; t++) {
            newerMass += shares[t];
        }
        if (top < tops.length) {
            tops[top]++;
        } else {
            newerHits++;
        }
    }

    /** What comes of keeping some of the tokens. */
    Tally of(Retention kept, int table) {
        double hits = newerHits;
        double sum = newerMass;
        for (int t = 0; t < mass.length; t++) {
            if (kept.has(table, t, mass.length)) {
                hits += tops[t];
                sum += mass[t];
            }
        }
        return new Tally(reads, hits, sum);
    }

    /**
     * The clairvoyant: those tokens that have the largest future mass, for the mass, and those that are most often the top, for
     * hits. No choice of as many tokens does better, in either.
     *
     * @param count how many stay
     * @param protection those that stay in any case
     */
    Tally best(int count, Protection protection) {
        double[] massToChoose = unprotected(mass, protection);
        double[] topsToChoose = unprotected(tops, protection);
        int free = Math.max(0, count - (mass.length - massToChoose.length));
        return new Tally(
                reads,
                newerHits + protectedSum(tops, protection) + largest(topsToChoose, free),
                newerMass + protectedSum(mass, protection) + largest(massToChoose, free));
    }

    /**
     * The clairvoyant that may share tokens out among layers and heads as it likes.
     *
     * @param futures of all layers and heads
     * @param count how many tokens stay, of all of them
     * @param protection those that stay in any case, everywhere
     */
    static Tally bestOfAll(Iterable<Future> futures, long count, Protection protection) {
        Tally kept = Tally.NONE;
        double[] massToChoose = {};
        double[] topsToChoose = {};
        long free = count;
        for (Future future : futures) {
            kept = kept.plus(future.best(0, protection));
            double[] more = future.unprotected(future.mass, protection);
            free -= future.mass.length - more.length;
            massToChoose = joined(massToChoose, more);
            topsToChoose = joined(topsToChoose, future.unprotected(future.tops, protection));
        }
        int chosen = Math.clamp(free, 0, massToChoose.length);
        return kept.plus(new Tally(0, largest(topsToChoose, chosen), largest(massToChoose, chosen)));
    }

    private static double[] joined(double[] some, double[] more) {
        double[] all = Arrays.copyOf(some, some.length + more.length);
        System.arraycopy(more, 0, all, some.length, more.length);
        return all;
    }

    private double[] unprotected(double[] values, Protection protection) {
        int from = Math.min(protection.sinks(), values.length);
        int to = Math.max(from, values.length - protection.window());
        return Arrays.copyOfRange(values, from, to);
    }

    private double protectedSum(double[] values, Protection protection) {
        double sum = 0;
        for (int t = 0; t < values.length; t++) {
            sum += protection.covers(t, values.length) ? values[t] : 0;
        }
        return sum;
    }

    private static double largest(double[] values, int count) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        double sum = 0;
        for (int i = Math.max(0, sorted.length - count); i < sorted.length; i++) {
            sum += sorted[i];
        }
        return sum;
    }
}
