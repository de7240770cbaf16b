package org.pikv4j.bench.quality;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.pikv4j.bench.Distributions;
import org.pikv4j.bench.recall.RecallRun;
import org.pikv4j.decode.AttentionRows;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.session.Engine;
import org.pikv4j.session.GenerationOptions;
import org.pikv4j.session.GenerationResult;
import org.pikv4j.session.Session;

/** Puts questions to forks of sessions: once to hear the answer, and once with the right answer given, to compare. */
public final class Questioning {
    private final int vocabulary;
    private final List<AttentionSpec> specs;
    private final GenerationOptions answering;

    /**
     * @param right whether the answer was right
     * @param attention what the steps attended to, compared with the exact attention
     * @param divergence mean KL from the exact distributions, in nats
     * @param decodeRate tokens per second after the first; 0 where there was but one
     */
    public record Answer(boolean right, AttentionKept attention, double divergence, double decodeRate) {}

    /**
     * What a session holds.
     *
     * @param tokens of the sequence
     * @param share of them that is held, mean over layers and KV heads
     * @param bytes of its pages
     * @param positions of the tokens held (layer, kvHead)
     */
    record Kept(int tokens, double share, long bytes, List<int[]> positions) {

        /**
         * @param kept at least one
         * @return the mean of shares and bytes, with the positions of the first
         */
        static Kept mean(List<Kept> kept) {
            return new Kept(
                    kept.getFirst().tokens(),
                    kept.stream().mapToDouble(Kept::share).average().orElseThrow(),
                    Math.round(kept.stream().mapToLong(Kept::bytes).average().orElseThrow()),
                    kept.getFirst().positions());
        }
    }

    /**
     * @param engine whose sessions are asked
     */
    public Questioning(Engine engine) {
        vocabulary = engine.model().config().vocabulary();
        specs = ExactDocument.specs(engine);
        answering = RecallRun.answering(engine);
    }

    /**
     * @param session has read the document, and the question's first steps
     * @param question what is asked
     * @param first the first step to come
     * @return what came of it
     */
    public Answer ask(Session session, ExactDocument.Question question, int first) {
        int[] steps = Arrays.copyOfRange(question.steps(), first, question.steps().length);
        Distributions distributions = new Distributions(steps.length, vocabulary);
        AttentionKept attention = new AttentionKept(question.attention());
        try (Session fork = session.fork()) {
            fork.observe(Optional.of(rows -> compare(rows, question.attention(), attention)));
            fork.logits(steps, (span, index, logits, offset) -> distributions.set(index, logits, offset));
        }
        GenerationResult answer = answer(session, Arrays.copyOf(steps, question.prompt() - first));
        return new Answer(
                question.asked().answeredBy(answer.text()),
                attention,
                question.distributions().from(first).divergence(distributions),
                answer.stats().decodeTokensPerSecond());
    }

    private static void compare(AttentionRows rows, ExactAttention exact, AttentionKept attention) {
        for (int row = 0; row < rows.count(); row++) {
            int step = rows.position() + row - exact.position(0);
            for (int head = 0; head < rows.spec().kvHeads(); head++) {
                attention.add(rows.layer(), step, head, rows.read().positions(row, head));
            }
        }
    }

    private GenerationResult answer(Session session, int[] prompt) {
        try (Session fork = session.fork()) {
            return fork.generate(prompt, answering, piece -> {});
        }
    }

    /**
     * @param session a session
     * @return what it holds
     */
    Kept kept(Session session) {
        List<int[]> positions = new ArrayList<>();
        for (int layer = 0; layer < specs.size(); layer++) {
            for (int head = 0; head < specs.get(layer).kvHeads(); head++) {
                positions.add(session.retained(layer, head));
            }
        }
        double tokens =
                positions.stream().mapToInt(held -> held.length).average().orElse(0);
        int length = session.tokens().length;
        return new Kept(length, tokens / length, session.kvBytes(), positions);
    }
}
