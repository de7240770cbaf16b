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
import org.pikv4j.bench.PolicyList;
import org.pikv4j.bench.simulate.SimulationReport.Mode;
import org.pikv4j.bench.simulate.SimulationReport.Row;
import org.pikv4j.cache.scheduling.PolicyChoice;
import org.pikv4j.cache.scheduling.Protection;
import org.pikv4j.cache.scheduling.TokenBudget;
import org.pikv4j.cli.Progress;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.trace.Trace;

/**
 * Replays policies on traces, and judges what each step after the cut still finds.
 *
 * <p>A policy is compared with the clairvoyant that keeps as many tokens in each layer and KV head. One that shares its budget out
 * unevenly may beat that one: it is compared with the clairvoyant that may do so, too, and keeps as many in all. One that evicts
 * nothing, and chooses at each step what it reads, is compared with the first, which does not bound it.
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

        void add(Tally more, Tally bestOfThese, long keptOfThese, long beforeThese) {
            tally = tally.plus(more);
            best = best.plus(bestOfThese);
            kept += keptOfThese;
            before += beforeThese;
        }

        Row row(Key key) {
            double share = (double) kept / before;
            return Row.of(key.policy(), key.mode(), key.budget(), share, tally, bound, best);
        }
    }

    /** A policy's turn on one trace. */
    private record Turn(Key key, Protection protection, Kept kept) {}

    /** One layer and KV head of one trace. */
    private static final class Head {
        final int table;
        final Future future;
        final Tally[] steps; // (turn): of those that are judged step by step

        Head(int table, int cut, int turns) {
            this.table = table;
            future = new Future(cut);
            steps = new Tally[turns];
            Arrays.fill(steps, Tally.NONE);
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
            policies.forEach((name, policy) ->
                    modes(policy).forEach(mode -> sums.put(new Key(budget, mode, name), new Sum())));
        }
    }

    /** What evicts nothing has a mode of its own. */
    private List<Mode> modes(PolicyChoice policy) {
        return policy.router().isPresent() ? List.of(Mode.READ) : modes;
    }

    /**
     * Replays all policies on a trace.
     *
     * @param trace the trace
     * @param cut tokens before the cut, fewer than all
     */
    void add(Trace trace, int cut) {
        List<Turn> turns = new ArrayList<>();
        int done = 0;
        for (Map.Entry<String, PolicyChoice> policy : policies.entrySet()) {
            progress.update("Replaying", done++, policies.size());
            for (Mode mode : modes(policy.getValue())) {
                turns.addAll(
                        switch (mode) {
                            case CUT -> cut(trace, cut, policy);
                            case HELD -> held(trace, cut, policy);
                            case READ -> read(trace, cut, policy);
                        });
            }
        }
        List<Head> heads = judge(trace, cut, turns);
        List<Future> futures = heads.stream().map(head -> head.future).toList();
        for (double budget : budgets) {
            int tokens = tokens(budget, cut);
            long all = (long) tokens * heads.size();
            long before = (long) cut * heads.size();
            Tally even = even(futures, tokens, Protection.DEFAULT);
            Tally pooled = Future.bestOfAll(futures, all, Protection.DEFAULT);
            sum(new Key(budget, Mode.CUT, SimulationReport.BELADY)).add(even, even, all, before);
            sum(new Key(budget, Mode.CUT, SimulationReport.POOLED)).add(pooled, pooled, all, before);
        }
        for (int turn = 0; turn < turns.size(); turn++) {
            switch (turns.get(turn).kept()) {
                case Retention kept -> note(turns.get(turn), kept, turn, cut, heads, futures);
                case TokensRead read -> note(turns.get(turn), read, turn, cut, heads, futures);
            }
        }
    }

    private Sum sum(Key key) {
        return sums.computeIfAbsent(key, _ -> new Sum());
    }

    /** As a budget of this share counts. */
    static int tokens(double budget, int cut) {
        return (int) Math.floor(budget * cut);
    }

    private List<Turn> cut(Trace trace, int cut, Map.Entry<String, PolicyChoice> policy) {
        try (TraceReplay replay = new TraceReplay(trace, backend, policy.getValue(), Optional.empty(), pageTokens)) {
            replay.read(cut);
            return budgets.stream()
                    .map(budget -> turn(policy, budget, Mode.CUT, replay.cut(tokens(budget, cut))))
                    .toList();
        }
    }

    private List<Turn> held(Trace trace, int cut, Map.Entry<String, PolicyChoice> policy) {
        List<Turn> turns = new ArrayList<>();
        for (double budget : budgets) {
            Optional<TokenBudget> share = Optional.of(new TokenBudget(0, budget));
            try (TraceReplay replay = new TraceReplay(trace, backend, policy.getValue(), share, pageTokens)) {
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

    /** The budget is what is read. */
    private List<Turn> read(Trace trace, int cut, Map.Entry<String, PolicyChoice> policy) {
        List<Turn> turns = new ArrayList<>();
        for (double budget : budgets) {
            PolicyChoice choice = reading(policy.getKey(), budget);
            try (TraceReplay replay = new TraceReplay(trace, backend, choice, Optional.empty(), pageTokens)) {
                replay.read(cut);
                turns.add(turn(policy, budget, Mode.READ, replay.readNoting(trace.length())));
            }
        }
        return turns;
    }

    /**
     * @param policy as the option spells it, without saying how much it reads
     * @param budget the share to read
     * @return the policy that reads as much
     */
    static PolicyChoice reading(String policy, double budget) {
        if (policy.contains("read=")) {
            throw new InvalidOptionException("--policies " + policy + ": how much is read is what the --budgets say");
        }
        return PolicyList.parse(policy + (policy.contains(":") ? "," : ":") + "read=" + budget);
    }

    private static Turn turn(Map.Entry<String, PolicyChoice> policy, double budget, Mode mode, Kept kept) {
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
                if (turns.get(turn).key().mode() != Mode.CUT) {
                    Tally step = turns.get(turn).kept().of(head.table, position, first, shares, top);
                    head.steps[turn] = head.steps[turn].plus(step);
                }
            }
        });
        return distances;
    }

    private void note(Turn turn, Retention kept, int index, int cut, List<Head> heads, List<Future> futures) {
        Tally tally = steps(heads, index);
        if (turn.key().mode() == Mode.CUT) {
            for (Head head : heads) {
                tally = tally.plus(head.future.of(kept, head.table));
            }
        }
        int[] counts = IntStream.range(0, heads.size())
                .map(table -> kept.count(table, cut))
                .toArray();
        int most = Arrays.stream(counts).max().orElseThrow();
        long all = Arrays.stream(counts).asLongStream().sum();
        int quota = tokens(turn.key().budget(), cut);
        Sum sum = sum(turn.key());
        Tally best;
        if (most <= quota || all == (long) most * heads.size()) {
            best = even(futures, Math.max(quota, most), turn.protection());
        } else {
            sum.bound = SimulationReport.POOLED;
            best = Future.bestOfAll(futures, Math.max(all, (long) quota * heads.size()), turn.protection());
        }
        sum.add(tally, best, all, (long) cut * heads.size());
    }

    private void note(Turn turn, TokensRead read, int index, int cut, List<Head> heads, List<Future> futures) {
        Tally best = even(futures, tokens(turn.key().budget(), cut), turn.protection());
        sum(turn.key()).add(steps(heads, index), best, read.tokens(), read.visible());
    }

    private static Tally steps(List<Head> heads, int turn) {
        return heads.stream().map(head -> head.steps[turn]).reduce(Tally.NONE, Tally::plus);
    }

    private static Tally even(List<Future> futures, int tokens, Protection protection) {
        return futures.stream().map(future -> future.best(tokens, protection)).reduce(Tally.NONE, Tally::plus);
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
