package org.pikv4j.bench.routing;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import org.pikv4j.PiKV;
import org.pikv4j.bench.Interval;
import org.pikv4j.bench.quality.ExactDocument;
import org.pikv4j.bench.quality.Questioning;
import org.pikv4j.bench.routing.RoutingReport.Beside;
import org.pikv4j.bench.routing.RoutingReport.Measured;
import org.pikv4j.bench.routing.RoutingReport.Row;
import org.pikv4j.cache.routing.RouteChoice;
import org.pikv4j.cache.routing.RoutingUsage;
import org.pikv4j.cache.routing.ShardRouter;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.session.Engine;
import org.pikv4j.session.Session;

/** Asks questions of documents of which each query reads some shards. */
final class RoutingRun {
    /** The baseline, which reads by dice. */
    static final String RANDOM = "hash";

    static final String CLAIRVOYANT = "clairvoyant";
    static final String LARGEST = "largest";
    private static final String EXACT = "exact";

    private final Supplier<PiKV.Builder> builders;
    private final int shards;
    private final double bandwidth;
    private final long seed;

    /**
     * @param builders of engines to be measured
     * @param shards of a layer, the least of all layers that have any
     * @param bandwidth bytes that the machine reads in a second
     * @param seed of the bootstrap
     */
    RoutingRun(Supplier<PiKV.Builder> builders, int shards, double bandwidth, long seed) {
        this.builders = builders;
        this.shards = shards;
        this.bandwidth = bandwidth;
        this.seed = seed;
    }

    /**
     * A router as it was asked for.
     *
     * @param text without k
     * @param by what makes pages belong to a shard
     */
    record Contender(String text, String by) {

        boolean clairvoyant() {
            return text.equals(CLAIRVOYANT);
        }

        /** Whatever k is. */
        boolean readsAll() {
            return text.equals(EXACT) || text.startsWith(EXACT + ":");
        }

        /** As {@code --route} spells it; for those that it does not know, that of one that it does. */
        String spec(int k) {
            String name = clairvoyant() || text.equals(LARGEST) ? RANDOM : text;
            String options = (readsAll() ? "" : "k=" + k + ",") + "by=" + by;
            return name + (name.contains(":") ? "," : ":") + options;
        }

        RouteChoice choice(int k, ClairvoyantRouter oracle) {
            RouteChoice parsed = RouteChoice.parse(spec(k));
            if (clairvoyant()) {
                return parsed.with(oracle);
            }
            return text.equals(LARGEST) ? parsed.with(new LargestRouter()) : parsed;
        }
    }

    /**
     * @param contenders who chooses
     * @param ks how many shards
     * @param documents what is asked
     * @param done hears how many rows there are of those asked for
     * @return what came of it, by k, in the contenders' order, each beside random choice and the clairvoyant; behind them random choice
     *     at other k, where bytes of others lie beyond what it reads at these
     */
    List<Row> measure(List<Contender> contenders, List<Integer> ks, List<ExactDocument> documents, IntConsumer done) {
        List<Measured> rows = new ArrayList<>();
        for (int k : ks) {
            for (Contender contender : contenders) {
                rows.add(measure(contender, k, documents));
                done.accept(rows.size());
            }
        }
        contenders.stream()
                .filter(contender -> contender.text().equals(RANDOM))
                .forEach(dice -> rows.addAll(atOtherK(dice, rows, documents)));
        return rows.stream().map(row -> new Row(row, beside(row, rows))).toList();
    }

    /** Random choice at as many more k, next to those that were asked for, as it takes to have the bytes of all others between its own. */
    private List<Measured> atOtherK(Contender dice, List<Measured> rows, List<ExactDocument> documents) {
        DoubleSummaryStatistics bytes = rows.stream()
                .filter(row -> row.by().equals(dice.by()) && !readsAll(row))
                .mapToDouble(Measured::bytes)
                .summaryStatistics();
        List<Measured> random = random(rows, dice.by());
        List<Measured> more = new ArrayList<>();
        Measured least = random.getFirst();
        while (least.k() > 1 && least.bytes() > bytes.getMin()) {
            least = measure(dice, least.k() - 1, documents);
            more.add(least);
        }
        Measured most = random.getLast();
        while (most.k() < shards && most.bytes() < bytes.getMax()) {
            most = measure(dice, most.k() + 1, documents);
            more.add(most);
        }
        return more;
    }

    private static boolean readsAll(Measured row) {
        return new Contender(row.router(), row.by()).readsAll();
    }

    /** By bytes. */
    private static List<Measured> random(List<Measured> rows, String by) {
        return rows.stream()
                .filter(row -> row.router().equals(RANDOM) && row.by().equals(by))
                .sorted(Comparator.comparingDouble(Measured::bytes))
                .toList();
    }

    private static Beside beside(Measured row, List<Measured> all) {
        if (readsAll(row)) {
            return new Beside(OptionalDouble.empty(), OptionalDouble.empty());
        }
        OptionalDouble ofClairvoyant = all.stream()
                .filter(other ->
                        other.router().equals(CLAIRVOYANT) && other.by().equals(row.by()) && other.k() == row.k())
                .mapToDouble(clairvoyant -> row.mass() / clairvoyant.mass())
                .findFirst();
        return new Beside(massAt(row.bytes(), random(all, row.by())), ofClairvoyant);
    }

    /** Straight between two points; beyond them there is no telling. */
    private static OptionalDouble massAt(double bytes, List<Measured> random) {
        for (int i = 0; i + 1 < random.size(); i++) {
            Measured low = random.get(i);
            Measured high = random.get(i + 1);
            if (low.bytes() <= bytes && bytes <= high.bytes() && high.bytes() > low.bytes()) {
                double share = (bytes - low.bytes()) / (high.bytes() - low.bytes());
                return OptionalDouble.of(low.mass() + share * (high.mass() - low.mass()));
            }
        }
        return random.stream()
                .filter(row -> row.bytes() == bytes)
                .mapToDouble(Measured::mass)
                .findFirst();
    }

    private Measured measure(Contender contender, int k, List<ExactDocument> documents) {
        ClairvoyantRouter oracle = new ClairvoyantRouter();
        try (Engine engine = builders.get().route(contender.choice(k, oracle)).open()) {
            Questioning questioning = new Questioning(engine);
            List<List<Questioning.Answer>> answers = new ArrayList<>();
            List<Double> imbalances = new ArrayList<>();
            ReadsByShard before = reads(engine);
            for (ExactDocument document : documents) {
                answers.add(asked(engine, questioning, document, oracle));
                ReadsByShard after = reads(engine);
                imbalances.add(after.minus(before).imbalance());
                before = after;
            }
            return row(contender, k, engine, answers, imbalances);
        }
    }

    private static List<Questioning.Answer> asked(
            Engine engine, Questioning questioning, ExactDocument document, ClairvoyantRouter oracle) {
        List<Questioning.Answer> answers = new ArrayList<>();
        try (Session session = engine.openSession()) {
            session.read(document.ids());
            for (ExactDocument.Question question : document.questions()) {
                oracle.foresees(question.attention());
                answers.add(questioning.ask(session, question, 0));
            }
        }
        return answers;
    }

    private static ReadsByShard reads(Engine engine) {
        return new ReadsByShard(usage(engine).reads());
    }

    private static RoutingUsage usage(Engine engine) {
        return engine.routing().orElseThrow();
    }

    private Measured row(
            Contender contender,
            int k,
            Engine engine,
            List<List<Questioning.Answer>> answers,
            List<Double> imbalances) {
        List<Questioning.Answer> all = answers.stream().flatMap(List::stream).toList();
        double[] masses = answers.stream()
                .mapToDouble(ofDocument ->
                        mean(ofDocument, answer -> answer.attention().mass()))
                .toArray();
        int right = (int) all.stream().filter(Questioning.Answer::right).count();
        RoutingUsage usage = usage(engine);
        ReadsByShard reads = new ReadsByShard(usage.reads());
        double queries = usage.queries();
        double local = share(usage.places(), 0, queries);
        int places = engine.shards().size();
        double broadcast = places == 0 ? 0 : share(usage.places(), places, queries);
        double intensity = intensity(engine, usage, contender);
        return new Measured(
                contender.text(),
                contender.by(),
                k,
                usage.reads().stream().mapToInt(List::size).max().orElse(0),
                mean(all, answer -> answer.attention().mass()),
                masses.length > 1 ? Optional.of(Interval.ofMean(masses, seed)) : Optional.empty(),
                mean(all, answer -> answer.attention().hitRate()),
                all.size(),
                right,
                Interval.ofShare(right, all.size()),
                mean(all, Questioning.Answer::divergence),
                mean(all, answer -> answer.attention().read()),
                usage.bytesRead() / queries,
                (double) usage.bytesRead() / usage.bytes(),
                reads.imbalance(),
                reads.variation(),
                reads.leastUse(),
                imbalances,
                local,
                1 - local - broadcast,
                broadcast,
                usage.seconds() / queries,
                intensity,
                intensity * bandwidth);
    }

    private static double share(List<Long> places, int index, double queries) {
        return index < places.size() ? places.get(index) / queries : 0;
    }

    /**
     * Attention multiplies each key and each value once for each query head of the group; a choice by centroids multiplies one float32
     * row for each page the same way.
     */
    private static double intensity(Engine engine, RoutingUsage usage, Contender contender) {
        AttentionSpec spec = engine.model().config().layers().getFirst().attention();
        double flops = 4.0 * spec.group() * spec.headDim() * usage.tokensRead();
        double bytes = usage.bytesRead();
        boolean centroids =
                RouteChoice.parse(contender.spec(1)).router().needs().contains(ShardRouter.Need.CENTROIDS);
        if (centroids) {
            flops += 2.0 * spec.group() * spec.headDim() * usage.pages();
            bytes += (double) Float.BYTES * spec.headDim() * usage.pages();
        }
        return flops / bytes;
    }

    private static double mean(List<Questioning.Answer> answers, ToDoubleFunction<Questioning.Answer> of) {
        return answers.stream().mapToDouble(of).average().orElse(0);
    }
}
