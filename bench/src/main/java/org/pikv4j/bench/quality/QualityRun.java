package org.pikv4j.bench.quality;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntConsumer;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.pikv4j.PiKV;
import org.pikv4j.bench.Parallel;
import org.pikv4j.bench.recall.Evaluation;
import org.pikv4j.cache.scheduling.KvBudget;
import org.pikv4j.cache.scheduling.TokenBudget;
import org.pikv4j.session.Engine;

/**
 * Runs every policy over the documents of a file. What exact attention does is computed once for each question and compared
 * with by all of them; where it would take too much memory, the file is worked off in pieces.
 */
final class QualityRun {
    /** Bytes that exact attention may take. */
    private static final long ROOM = 256L << 20;

    private final QualityPlan plan;
    private final Engine reference;
    private final Supplier<PiKV.Builder> builders;
    private final KvBudget budget;

    /**
     * @param plan what to measure
     * @param reference caches as exactly as it can, and forgets nothing; the caller closes it
     * @param builders of engines to be measured
     * @param budget what all sessions of one may take together
     */
    QualityRun(QualityPlan plan, Engine reference, Supplier<PiKV.Builder> builders, KvBudget budget) {
        this.plan = plan;
        this.reference = reference;
        this.builders = builders;
        this.budget = budget;
    }

    /** Hears of what is done. */
    interface Listener {
        void done(long steps, long total);
    }

    /**
     * @param file documents
     * @param listener hears of progress
     * @return what was measured
     */
    Results measure(EvaluationFile file, Listener listener) {
        Results results = new Results();
        AtomicLong done = new AtomicLong();
        long total = (long) file.rows().size()
                * (1
                        + plan.modes().stream()
                                .mapToInt(mode -> plan.conditions(mode).size())
                                .sum());
        try (ExecutorService callers = Executors.newFixedThreadPool(plan.sessions())) {
            Block block = new Block(callers, results, count -> listener.done(done.addAndGet(count), total));
            for (int first = 0; first < file.rows().size(); first += block.documents.size()) {
                block.read(first, file.rows().subList(first, file.rows().size()));
                block.exact();
                plan.contenders().forEach(block::measure);
            }
        }
        return results;
    }

    /** Documents that are worked on together. */
    private final class Block {
        private final ExecutorService callers;
        private final Results results;
        private final IntConsumer progress;
        private final List<ExactDocument> documents = new ArrayList<>();
        private int first;

        Block(ExecutorService callers, Results results, IntConsumer progress) {
            this.callers = callers;
            this.results = results;
            this.progress = progress;
        }

        /** Takes as many as there is room for, but always some. */
        void read(int index, List<Evaluation> rows) {
            first = index;
            documents.clear();
            while (documents.size() < rows.size()
                    && documents.stream().mapToLong(ExactDocument::bytes).sum() < ROOM) {
                int at = documents.size();
                int count = Math.min(plan.sessions(), rows.size() - at);
                ExactDocument[] read = new ExactDocument[count];
                Parallel.forEach(callers, IntStream.range(0, count).boxed().toList(), i -> {
                    read[i] = ExactDocument.read(reference, rows.get(at + i));
                    progress.accept(1);
                });
                documents.addAll(List.of(read));
            }
        }

        void exact() {
            try (Engine engine = builders.get().kvBudget(budget).open()) {
                if (!plan.cuts().isEmpty()) {
                    cut(engine, QualityPlan.EXACT, List.of(1.0));
                }
                if (plan.modes().contains(Mode.HELD)) {
                    read(engine, QualityPlan.EXACT, new Condition(Mode.HELD, QualityPlan.EXACT, 1));
                }
            }
        }

        void measure(Contender contender) {
            if (contender.clairvoyant()) {
                try (Engine engine = open(contender, 1, budget)) {
                    Trial trial = new Trial(engine, contender.text(), results);
                    forEach(
                            (index, document) -> trial.clairvoyant(index, document, plan.shares()),
                            plan.shares().size());
                    plan.shares().forEach(share -> peak(engine, new Condition(Mode.CUT, contender.text(), share)));
                }
                return;
            }
            if (contender.auto()) {
                auto(contender);
                return;
            }
            if (!contender.evicts()) {
                for (double share : contender.among(plan.shares())) {
                    try (Engine engine = open(contender, share, budget)) {
                        read(engine, contender.text(), new Condition(Mode.CUT, contender.text(), share));
                    }
                }
                return;
            }
            if (!plan.cuts().isEmpty()) {
                try (Engine engine = open(contender, 1, budget)) {
                    cut(engine, contender.text(), plan.shares());
                }
            }
            if (plan.modes().contains(Mode.HELD)) {
                for (double share : plan.shares()) {
                    TokenBudget held = new TokenBudget(0, share);
                    try (Engine engine = open(contender, share, new KvBudget(budget.bytes(), Optional.of(held)))) {
                        read(engine, contender.text(), new Condition(Mode.HELD, contender.text(), share));
                    }
                }
            }
        }

        /** Spends bytes of all sessions together, where others keep tokens of each. */
        private void auto(Contender contender) {
            if (plan.modes().contains(Mode.CUT)) {
                try (Engine engine = open(contender, 1, budget)) {
                    Trial trial = new Trial(engine, contender.text(), results);
                    forEach(
                            (index, document) -> trial.shrink(index, document, plan.shares()),
                            plan.shares().size());
                    plan.shares().forEach(share -> peak(engine, new Condition(Mode.CUT, contender.text(), share)));
                }
            }
            if (plan.modes().contains(Mode.HELD)) {
                int longest = documents.stream()
                        .mapToInt(document -> document.ids().length)
                        .max()
                        .orElseThrow();
                for (double share : plan.shares()) {
                    long bytes = (long) (share * plan.sessions() * Trial.wholeBytes(reference, longest));
                    try (Engine engine =
                            open(contender, share, new KvBudget(OptionalLong.of(bytes), Optional.empty()))) {
                        read(engine, contender.text(), new Condition(Mode.HELD, contender.text(), share));
                    }
                }
            }
        }

        private Engine open(Contender contender, double share, KvBudget within) {
            return contender.applied(builders.get(), share).kvBudget(within).open();
        }

        private void cut(Engine engine, String policy, List<Double> shares) {
            Set<Mode> modes = plan.cuts();
            Trial trial = new Trial(engine, policy, results);
            forEach((index, document) -> trial.cut(index, document, modes, shares), modes.size() * shares.size());
            modes.forEach(mode -> shares.forEach(share -> peak(engine, new Condition(mode, policy, share))));
        }

        private void read(Engine engine, String policy, Condition condition) {
            Trial trial = new Trial(engine, policy, results);
            forEach((index, document) -> trial.read(index, document, condition), 1);
            peak(engine, condition);
        }

        private void peak(Engine engine, Condition condition) {
            results.peak(condition, engine.usage().peakHeldBytes());
        }

        private void forEach(Work work, int steps) {
            Parallel.forEach(
                    callers, IntStream.range(0, documents.size()).boxed().toList(), i -> {
                        work.run(first + i, documents.get(i));
                        progress.accept(steps);
                    });
        }
    }

    /** Something to do with each document. */
    private interface Work {
        void run(int index, ExactDocument document);
    }
}
