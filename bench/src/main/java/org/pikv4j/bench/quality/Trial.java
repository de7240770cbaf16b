package org.pikv4j.bench.quality;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.pikv4j.cache.compression.Codecs;
import org.pikv4j.cache.compression.FormChoice;
import org.pikv4j.cache.compression.PageForm;
import org.pikv4j.cache.scheduling.EvictionPolicy;
import org.pikv4j.cache.scheduling.PolicyChoice;
import org.pikv4j.cache.storage.CacheLayout;
import org.pikv4j.cache.storage.PageRoom;
import org.pikv4j.cache.storage.Residual;
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
     * @param condition what the scores hold for
     */
    void read(int index, ExactDocument document, Condition condition) {
        try (Session session = engine.openSession()) {
            session.read(document.ids());
            ask(session, index, document, condition);
        }
    }

    /**
     * Reads everything, then cuts, where there is a policy to do so.
     *
     * @param index which document
     * @param document the document
     * @param modes of those that cut
     * @param shares that stay
     */
    void cut(int index, ExactDocument document, Set<Mode> modes, List<Double> shares) {
        int[] ids = document.ids();
        int tail = tail(ids.length);
        int[] rest = Arrays.copyOfRange(ids, ids.length - tail, ids.length);
        try (Session session = engine.openSession()) {
            session.read(Arrays.copyOf(ids, ids.length - tail));
            if (tail > 0) {
                session.cut(tokens(1, ids.length));
            }
            if (modes.contains(Mode.CUT)) {
                agnostic(session, rest, index, document, shares);
            }
            if (modes.contains(Mode.CUT_AWARE)) {
                aware(session, rest, index, document, shares);
            }
        }
    }

    /**
     * The queries that a policy watches are the last ones before a cut, and not those at the document's end where a question
     * follows. So reading stops before them, and what was seen until then is forgotten by an eviction of nothing; who cuts reads
     * on from there.
     */
    private int tail(int length) {
        Optional<EvictionPolicy> evicts = eviction();
        if (evicts.isEmpty() || evicts.get().replay().isPresent()) {
            return 0;
        }
        int watched = evicts.get().observedQueries();
        return watched == Integer.MAX_VALUE ? 0 : Math.min(watched, length - 1);
    }

    private Optional<EvictionPolicy> eviction() {
        return engine.options().policy().flatMap(PolicyChoice::eviction);
    }

    private void cut(Session session, double share, int length) {
        if (engine.options().policy().isPresent()) {
            session.cut(tokens(share, length));
        }
    }

    /** What is to be read again before a cut is so once for all cuts: an eviction of nothing brings it about. */
    private void replay(Session session, int length) {
        if (eviction().flatMap(EvictionPolicy::replay).isPresent()) {
            cut(session, 1, length);
        }
    }

    private void agnostic(Session start, int[] rest, int index, ExactDocument document, List<Double> shares) {
        try (Session read = start.fork()) {
            if (rest.length > 0) {
                read.read(rest);
            }
            replay(read, document.ids().length);
            for (double share : shares) {
                try (Session session = read.fork()) {
                    cut(session, share, document.ids().length);
                    ask(session, index, document, new Condition(Mode.CUT, policy, share));
                }
            }
        }
    }

    private void ask(Session session, int index, ExactDocument document, Condition condition) {
        Questioning.Kept kept = questioning.kept(session);
        List<Questioning.Answer> answers = new ArrayList<>();
        for (ExactDocument.Question question : document.questions()) {
            answers.add(questioning.ask(session, question, 0));
        }
        results.add(condition, index, DocumentScore.of(answers, kept), kept);
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
                replay(read, document.ids().length + question.prompt());
                for (int s = 0; s < shares.size(); s++) {
                    try (Session session = read.fork()) {
                        cut(session, shares.get(s), document.ids().length + question.prompt());
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

    /**
     * Reads everything, then cuts for each question anew, with the future known.
     *
     * @param index which document
     * @param document the document
     * @param shares that stay
     */
    void clairvoyant(int index, ExactDocument document, List<Double> shares) {
        Clairvoyant belady = (Clairvoyant) eviction().orElseThrow();
        try (Session read = engine.openSession()) {
            read.read(document.ids());
            for (double share : shares) {
                List<Questioning.Answer> answers = new ArrayList<>();
                List<Questioning.Kept> kept = new ArrayList<>();
                for (ExactDocument.Question question : document.questions()) {
                    try (Session session = read.fork()) {
                        belady.foreseeing(question.attention(), () -> cut(session, share, document.ids().length));
                        kept.add(questioning.kept(session));
                        answers.add(questioning.ask(session, question, 0));
                    }
                }
                Questioning.Kept mean = Questioning.Kept.mean(kept);
                results.add(new Condition(Mode.CUT, policy, share), index, DocumentScore.of(answers, mean), mean);
            }
        }
    }

    /**
     * Reads everything, then makes the session smaller, for each share anew: forks would share what is to change.
     *
     * @param index which document
     * @param document the document
     * @param shares of what the document takes in bf16
     */
    void shrink(int index, ExactDocument document, List<Double> shares) {
        long whole = wholeBytes(engine, document.ids().length);
        for (double share : shares) {
            try (Session session = engine.openSession()) {
                session.read(document.ids());
                session.shrink((long) Math.floor(share * whole));
                ask(session, index, document, new Condition(Mode.CUT, policy, share));
            }
        }
    }

    /** What so many tokens take in bf16, where none can be evicted. */
    static long wholeBytes(Engine engine, int tokens) {
        return CacheLayout.of(
                        engine.model().config(),
                        FormChoice.of(new PageForm(Codecs.BF16)),
                        engine.options().pageTokens(),
                        Residual.DEFAULT,
                        PageRoom.NONE)
                .sequenceBytes(tokens);
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
