package org.pikv4j.bench.recall;

import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.pikv4j.bench.Parallel;
import org.pikv4j.session.Engine;
import org.pikv4j.session.GenerationOptions;
import org.pikv4j.session.Session;

/** Runs evaluations: a document is read once, and each question asked to a fork of that session. */
public final class RecallRun {
    /** No answer is longer; what goes on beyond is wrong anyway. */
    private static final int ANSWER_TOKENS = 48;

    private final Engine engine;
    private final GenerationOptions options;
    private final int sessions;

    /**
     * @param engine the engine
     * @param sessions documents worked on at once, in ragged batches
     */
    public RecallRun(Engine engine, int sessions) {
        this.engine = engine;
        this.sessions = sessions;
        this.options = answering(engine);
    }

    /**
     * @param engine the engine
     * @return how answers are generated: greedily, a line
     */
    public static GenerationOptions answering(Engine engine) {
        return GenerationOptions.from(engine.model().generationDefaults())
                .withTemperature(0f)
                .withStopStrings(List.of("\n"))
                .withMaxTokens(ANSWER_TOKENS);
    }

    public RecallScore score(String file, List<Evaluation> rows, Runnable rowDone) {
        long started = System.nanoTime();
        AtomicInteger right = new AtomicInteger();
        AtomicLong tokens = new AtomicLong();
        try (ExecutorService callers = Executors.newFixedThreadPool(sessions)) {
            Parallel.forEach(callers, rows, row -> {
                try (Session session = engine.openSession()) {
                    session.read(row.document());
                    tokens.addAndGet(session.tokens().length);
                    for (Evaluation.Question question : row.questions()) {
                        right.addAndGet(ask(session, question) ? 1 : 0);
                    }
                }
                rowDone.run();
            });
        }
        int total = rows.stream().mapToInt(row -> row.questions().size()).sum();
        return RecallScore.of(
                file,
                right.get(),
                total,
                tokens.get(),
                (System.nanoTime() - started) / 1e9,
                engine.usage().peakHeldBytes());
    }

    private boolean ask(Session session, Evaluation.Question question) {
        try (Session fork = session.fork()) {
            return question.answeredBy(fork.generate(question.prompt(), options).text());
        }
    }
}
