package org.pikv4j.bench.quality;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.pikv4j.cache.scheduling.PolicyChoice;
import org.pikv4j.session.Engine;
import org.pikv4j.session.Session;

/** A policy on one document, read once for all budgets. */
final class Trial {
    private final Engine engine;
    private final Questioning questioning;
    private final String policy;
    private final Results results;

    /**
     * @param engine runs the policy
     * @param policy what the report calls it
     * @param results where scores go
     */
    Trial(Engine engine, String policy, Results results) {
        this.engine = engine;
        this.questioning = new Questioning(engine);
        this.policy = policy;
        this.results = results;
    }

    /**
     * Reads within the engine's budget and asks.
     *
     * @param index which document
     * @param document the document
     * @param conditions all that the scores hold for
     */
    void read(int index, ExactDocument document, List<Condition> conditions) {
        try (Session session = engine.openSession()) {
            session.read(document.ids());
            ask(session, index, document, conditions);
        }
    }

    /**
     * Reads everything, then cuts.
     *
     * @param index which document
     * @param document the document
     * @param modes of those that cut
     * @param shares that stay
     */
    void cut(int index, ExactDocument document, Set<Mode> modes, List<Double> shares) {
        // The queries that a policy watches are the last ones before a cut, and so not those of the document where a
        // question
        // follows: the reading stops before them, and what was seen until then is forgotten by an eviction of nothing.
        int[] ids = document.ids();
        int watched =
                engine.options().policy().map(p -> p.policy().observedQueries()).orElse(0);
        int tail = watched == Integer.MAX_VALUE ? 0 : Math.min(watched, ids.length - 1);
        int[] rest = Arrays.copyOfRange(ids, ids.length - tail, ids.length);
        try (Session session = engine.openSession()) {
            session.read(Arrays.copyOf(ids, ids.length - tail));
            if (tail > 0) {
                session.cut(Math.max(leastTokens(), ids.length));
            }
            if (modes.contains(Mode.CUT)) {
                agnostic(session, rest, index, document, shares);
            }
            if (modes.contains(Mode.CUT_AWARE)) {
                aware(session, rest, index, document, shares);
            }
        }
    }

    private void agnostic(Session start, int[] rest, int index, ExactDocument document, List<Double> shares) {
        try (Session read = start.fork()) {
            if (rest.length > 0) {
                read.read(rest);
            }
            for (double share : shares) {
                try (Session session = read.fork()) {
                    session.cut(tokens(share, document.ids().length));
                    ask(session, index, document, List.of(new Condition(Mode.CUT, policy, share)));
                }
            }
        }
    }

    private void ask(Session session, int index, ExactDocument document, List<Condition> conditions) {
        Questioning.Kept kept = questioning.kept(session);
        List<Questioning.Answer> answers = new ArrayList<>();
        for (ExactDocument.Question question : document.questions()) {
            answers.add(questioning.ask(session, question, 0));
        }
        for (Condition condition : conditions) {
            results.add(condition, index, DocumentScore.of(answers, kept), kept);
        }
    }

    private void aware(Session start, int[] rest, int index, ExactDocument document, List<Double> shares) {
        List<List<Questioning.Answer>> answers = new ArrayList<>();
        List<List<Questioning.Kept>> kept = new ArrayList<>();
        shares.forEach(share -> {
            answers.add(new ArrayList<>());
            kept.add(new ArrayList<>());
        });
        for (ExactDocument.Question question : document.questions()) {
            try (Session read = start.fork()) {
                read.read(ExactDocument.joined(rest, Arrays.copyOf(question.steps(), question.prompt())));
                for (int s = 0; s < shares.size(); s++) {
                    try (Session session = read.fork()) {
                        session.cut(tokens(shares.get(s), document.ids().length + question.prompt()));
                        kept.get(s).add(questioning.kept(session));
                        answers.get(s).add(questioning.ask(session, question, question.prompt()));
                    }
                }
            }
        }
        for (int s = 0; s < shares.size(); s++) {
            Condition condition = new Condition(Mode.CUT_AWARE, policy, shares.get(s));
            Questioning.Kept mean = Questioning.Kept.mean(kept.get(s));
            results.add(condition, index, DocumentScore.of(answers.get(s), mean), mean);
        }
    }

    /** A share of so many, but never fewer than no policy may evict. */
    private int tokens(double share, int length) {
        return Math.max(leastTokens(), (int) Math.floor(share * length));
    }

    private int leastTokens() {
        return engine.options()
                .policy()
                .map(PolicyChoice::protection)
                .map(protection -> protection.sinks() + protection.window())
                .orElse(0);
    }
}
