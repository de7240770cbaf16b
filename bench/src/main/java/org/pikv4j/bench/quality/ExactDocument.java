package org.pikv4j.bench.quality;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.pikv4j.bench.Distributions;
import org.pikv4j.bench.recall.Evaluation;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.model.LayerSpec;
import org.pikv4j.session.Engine;
import org.pikv4j.session.Session;
import org.pikv4j.text.Tokenizer;

/**
 * A document as tokens, and what the model makes of its questions where nothing is forgotten.
 *
 * @param ids its tokens
 * @param questions what is asked of it
 */
public record ExactDocument(int[] ids, List<Question> questions) {

    /**
     * Its steps are the tokens of the question and of the right answer, whatever the model would say itself.
     *
     * @param asked the question
     * @param steps its tokens, and those of the answer
     * @param prompt how many of them are the question's
     * @param attention what the steps attend to
     * @param distributions of the token behind each step
     */
    public record Question(
            Evaluation.Question asked,
            int[] steps,
            int prompt,
            ExactAttention attention,
            Distributions distributions) {}

    /**
     * @param engine caches as exactly as it can, and forgets nothing
     * @param evaluation a document and its questions
     * @return what the engine makes of them
     */
    public static ExactDocument read(Engine engine, Evaluation evaluation) {
        Tokenizer tokenizer = engine.model().tokenizer();
        int[] ids = tokenizer.encode(evaluation.document(), true);
        List<int[]> prompts = new ArrayList<>();
        List<int[]> steps = new ArrayList<>();
        for (Evaluation.Question question : evaluation.questions()) {
            int[] prompt = tokenizer.encode(question.prompt(), false);
            int[] answer = tokenizer.encode(" " + question.answer(), false);
            prompts.add(prompt);
            steps.add(joined(prompt, answer));
        }
        int most = steps.stream().mapToInt(s -> s.length).max().orElse(0);
        ExactReading reading = new ExactReading(specs(engine), ids.length, most);
        List<Question> questions = new ArrayList<>();
        try (Session session = engine.openSession()) {
            session.observe(Optional.of(reading));
            session.read(ids);
            for (int q = 0; q < prompts.size(); q++) {
                Distributions distributions = distributions(engine, session, steps.get(q), reading);
                questions.add(new Question(
                        evaluation.questions().get(q),
                        steps.get(q),
                        prompts.get(q).length,
                        reading.attention(steps.get(q).length),
                        distributions));
            }
        }
        return new ExactDocument(ids, questions);
    }

    private static Distributions distributions(Engine engine, Session session, int[] steps, ExactReading reading) {
        Distributions distributions =
                new Distributions(steps.length, engine.model().config().vocabulary());
        try (Session fork = session.fork()) {
            fork.observe(Optional.of(reading));
            fork.logits(steps, (span, index, logits, offset) -> distributions.set(index, logits, offset));
        }
        return distributions;
    }

    public static List<AttentionSpec> specs(Engine engine) {
        return engine.model().config().layers().stream()
                .map(LayerSpec::attention)
                .toList();
    }

    /**
     * @return what the attention and the distributions take in memory
     */
    long bytes() {
        return questions.stream()
                .mapToLong(question ->
                        question.attention().bytes() + question.distributions().bytes())
                .sum();
    }

    /**
     * @return one behind the other
     */
    static int[] joined(int[] first, int[] second) {
        int[] all = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, all, first.length, second.length);
        return all;
    }
}
