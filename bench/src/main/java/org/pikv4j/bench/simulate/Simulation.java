package org.pikv4j.bench.simulate;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.pikv4j.backend.Backend;
import org.pikv4j.bench.Parallel;
import org.pikv4j.bench.simulate.SimulationReport.Mode;
import org.pikv4j.bench.simulate.SimulationReport.Row;
import org.pikv4j.cache.scheduling.PolicyChoice;
import org.pikv4j.cache.scheduling.Protection;
import org.pikv4j.cache.scheduling.TokenBudget;
import org.pikv4j.cli.Progress;
import org.pikv4j.trace.Trace;

/**
 * Replays policies on traces, and judges what each step after the cut still finds.
 *
 * <p>A policy is compared with the clairvoyant that keeps as many tokens in each layer and KV head. One that shares its budget out
 * unevenly may beat that one: it is compared with the clairvoyant that may do so, too, and keeps as many in all.
 */
final class Simulation {
    private final Map<String, PolicyChoice> policies;
    private final List<Double> budgets;
    private final List<Mode> modes;
    private final int pageTokens;
    private final Backend backend;
    private final Progress progress;
    private final Map<Key, Sum> sums = new LinkedHashMap<>();
    private final List<ReuseDistances> reuse = new ArrayList<>();

    private record Key(double budget, Mode mode, String policy) {}

    /** Over all traces. */
    private static final class Sum {
        Tally tally = Tally.NONE;
        Tally best = Tally.NONE;
        String bound = SimulationReport.BELADY;
        long kept;
        long before;

        Row row(Key key) {
            double share = (double) kept / before;
            return Row.of(key.policy(), key.mode(), key.budget(), share, tally, bound, best);
        }
    }

    /** A policy's turn on one trace. */
    private record Turn(Key key, Protection protection, Retention kept) {}

    /** One layer and KV head of one trace. */
    private static final class Head {
        final int table;
        final Future future;
        final Tally[] held; // (turn): of those that hold a budget

        Head(int table, int cut, int turns) {
            this.table = table;
            future = new Future(cut);
            held = new Tally[turns];
            Arrays.fill(held, Tally.NONE);
        }
    }

    /**
     * @param policies by what to call them
     * @param budgets shares of the tokens before the cut
     * @param modes when tokens are evicted
     * @param pageTokens tokens per page of the cache
     * @param backend what attends
     * @param progress hears how far it is
     */
    Simulation(
            Map<String, PolicyChoice> policies,
            List<Double> budgets,
            List<Mode> modes,
            int pageTokens,
            Backend backend,
            Progress progress) {
        this.policies = new LinkedHashMap<>(policies);
        this.budgets = List.copyOf(budgets);
        this.modes = List.copyOf(modes);
        this.pageTokens = pageTokens;
        this.backend = backend;
        this.progress = progress;
        for (double budget : budgets) {
            sums.put(new Key(budget, Mode.CUT, SimulationReport.BELADY), new Sum());
            sums.put(new Key(budget, Mode.CUT, SimulationReport.POOLED), new Sum());
            for (Mode mode : modes) {
                policies.keySet().forEach(name -> sums.put(new Key(budget, mode, name), new Sum()));
            }
        }
    }

    /**
     * Replays all policies on a trace.
     *
     * @param trace the trace
     * @param cut tokens before the cut, fewer than all
     */
    void add(Trace trace, int cut) {
        List<Turn> turns = new ArrayList<>();
        for (Map.Entry<String, PolicyChoice> policy : policies.entrySet()) {
            for (Mode mode : modes) {
                progress.update("Replaying", turns.size(), (long) policies.size() * modes.size() * budgets.size());
                turns.addAll(mode == Mode.CUT ? cut(trace, cut, policy) : held(trace, cut, policy));
            }
        }
        List<Head> heads = judge(trace, cut, turns);
        List<Future> futures = heads.stream().map(head -> head.future).toList();
        for (double budget : budgets) {
            int tokens = tokens(budget, cut);
            long all = (long) tokens * heads.size();
            Tally even = even(futures, tokens, Protection.DEFAULT);
            Tally pooled = Future.bestOfAll(futures, all, Protection.DEFAULT);
            note(
                    new Key(budget, Mode.CUT, SimulationReport.BELADY),
                    even,
                    even,
                    SimulationReport.BELADY,
                    all,
                    cut,
                    heads);
            note(
                    new Key(budget, Mode.CUT, SimulationReport.POOLED),
                    pooled,
                    pooled,
                    SimulationReport.POOLED,
                    all,
                    cut,
                    heads);
        }
        for (int turn = 0; turn < turns.size(); turn++) {
            note(turns.get(turn), turn, cut, heads, futures);
        }
    }

    /** As a budget of this share counts. */
    static int tokens(double budget, int cut) {
        return (int) Math.floor(budget * cut);
    }

    private List<Turn> cut(Trace trace, int cut, Map.Entry<String, PolicyChoice> policy) {
        try (Replay replay = new Replay(trace, backend, policy.getValue(), Optional.empty(), pageTokens)) {
            replay.read(cut);
            return budgets.stream()
                    .map(budget -> turn(policy, budget, Mode.CUT, replay.cut(tokens(budget, cut))))
                    .toList();
        }
    }

    private List<Turn> held(Trace trace, int cut, Map.Entry<String, PolicyChoice> policy) {
        List<Turn> turns = new ArrayList<>();
        for (double budget : budgets) {
            TokenBudget share = new TokenBudget(0, budget);
            try (Replay replay = new Replay(trace, backend, policy.getValue(), Optional.of(share), pageTokens)) {
                replay.read(cut);
                replay.read(Math.max(cut, trace.promptTokens()));
                for (int end = Math.max(cut, trace.promptTokens()) + 1; end <= trace.length(); end++) {
                    replay.read(end);
                }
                turns.add(turn(policy, budget, Mode.HELD, replay.retention()));
            }
        }
        return turns;
    }

    private static Turn turn(Map.Entry<String, PolicyChoice> policy, double budget, Mode mode, Retention kept) {
        return new Turn(
                new Key(budget, mode, policy.getKey()), policy.getValue().protection(), kept);
    }

    /** The steps of the trace, once, in all layers and KV heads. */
    private List<Head> judge(Trace trace, int cut, List<Turn> turns) {
        List<Head> heads = new ArrayList<>();
        List<Runnable> work = new ArrayList<>();
        ReuseDistances all = new ReuseDistances(Math.ceilDiv(trace.length(), ReuseDistances.PAGE_TOKENS));
        for (int layer = 0; layer < trace.layers().size(); layer++) {
            for (int kvHead = 0; kvHead < trace.layers().get(layer).spec().kvHeads(); kvHead++) {
                Head head = new Head(heads.size(), cut, turns.size());
                heads.add(head);
                int of = layer;
                int at = kvHead;
                work.add(() -> all.add(judge(new ExactAttention(trace, of, at), head, cut, turns, trace.length())));
            }
        }
        AtomicInteger done = new AtomicInteger();
        try (ExecutorService threads = Executors.newFixedThreadPool(backend.threads())) {
            Parallel.forEach(threads, work, head -> {
                head.run();
                progress.update("Judging", done.incrementAndGet(), work.size());
            });
        }
        reuse.add(all);
        return heads;
    }

    private static ReuseDistances judge(ExactAttention exact, Head head, int cut, List<Turn> turns, int tokens) {
        ReuseDistances distances = new ReuseDistances(Math.ceilDiv(tokens, ReuseDistances.PAGE_TOKENS));
        ReuseDistances.Reads reads = distances.new Reads();
        exact.forEach((position, first, shares, top) -> {
            reads.note(position, first, shares, top);
            if (position < cut) {
                return;
            }
            head.future.note(position, first, shares, top);
            for (int turn = 0; turn < turns.size(); turn++) {
                if (turns.get(turn).key().mode() == Mode.HELD) {
                    Tally step = turns.get(turn).kept().of(head.table, position, first, shares, top);
                    head.held[turn] = head.held[turn].plus(step);
                }
            }
        });
        return distances;
    }

    private void note(Turn turn, int index, int cut, List<Head> heads, List<Future> futures) {
        Tally tally = Tally.NONE;
        for (Head head : heads) {
            tally = tally.plus(
                    turn.key().mode() == Mode.CUT ? head.future.of(turn.kept(), head.table) : head.held[index]);
        }
        int[] counts = IntStream.range(0, heads.size())
                .map(table -> turn.kept().count(table, cut))
                .toArray();
        int most = Arrays.stream(counts).max().orElseThrow();
        boolean even = Arrays.stream(counts).allMatch(count -> count == most);
        int quota = tokens(turn.key().budget(), cut);
        long kept = Arrays.stream(counts).asLongStream().sum();
        if (even || most <= quota) {
            Tally best = even(futures, Math.max(quota, most), turn.protection());
            note(turn.key(), tally, best, SimulationReport.BELADY, kept, cut, heads);
        } else {
            Tally best = Future.bestOfAll(futures, Math.max(kept, (long) quota * heads.size()), turn.protection());
            note(turn.key(), tally, best, SimulationReport.POOLED, kept, cut, heads);
        }
    }

    private static Tally even(List<Future> futures, int tokens, Protection protection) {
        return futures.stream().map(future -> future.best(tokens, protection)).reduce(Tally.NONE, Tally::plus);
    }

    private void note(Key key, Tally tally, Tally best, String bound, long kept, int cut, List<Head> heads) {
        Sum sum = sums.computeIfAbsent(key, _ -> new Sum());
        sum.tally = sum.tally.plus(tally);
        sum.best = sum.best.plus(best);
        sum.bound = sum.bound.equals(SimulationReport.POOLED) ? sum.bound : bound;
        sum.kept += kept;
        sum.before += (long) cut * heads.size();
    }

    /** Budget by budget, the bounds first. */
    List<Row> rows() {
        return sums.entrySet().stream()
                .map(entry -> entry.getValue().row(entry.getKey()))
                .toList();
    }

    /** Over all traces. */
    Reuse reuse() {
        int pages = reuse.stream().mapToInt(ReuseDistances::pages).max().orElseThrow();
        ReuseDistances all = new ReuseDistances(pages);
        reuse.forEach(all::add);
        return all.summary();
    }
}
