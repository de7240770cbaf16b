package org.pikv4j.bench.quality;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pikv4j.PiKV;
import org.pikv4j.bench.recall.Evaluation;
import org.pikv4j.session.Engine;
import org.pikv4j.session.Session;

/** One reading serves all budgets and questions, and nobody can tell. */
class TrialTest {
    private static final double SHARE = 0.5;

    @ParameterizedTest
    @ValueSource(strings = {"tova", "snapkv:queries=40", "h2o", "kvzip", "random"})
    void tokensAreThoseOfASessionThatReadsNothingElse(String policy) {
        Path model = Path.of("data/recall-codes");
        Evaluation evaluation = Evaluation.read(
                        "--data", model.resolve("eval-256.jsonl").toString(), Optional.of(1))
                .getFirst();
        Results results = new Results();
        try (Engine engine = PiKV.model(model).pageTokens(16).kvPolicy(policy).open()) {
            ExactDocument document = ExactDocument.read(engine, evaluation);
            new Trial(engine, policy, results)
                    .cut(0, document, EnumSet.of(Mode.CUT, Mode.CUT_AWARE), List.of(1.0, SHARE));
            ExactDocument.Question question = document.questions().getFirst();
            int[] asked = ExactDocument.joined(document.ids(), Arrays.copyOf(question.steps(), question.prompt()));
            assertThat(kept(results, Mode.CUT, policy)).isDeepEqualTo(kept(engine, document.ids()));
            assertThat(kept(results, Mode.CUT_AWARE, policy)).isDeepEqualTo(kept(engine, asked));
        }
    }

    private static int[][] kept(Results results, Mode mode, String policy) {
        return results.example(new Condition(mode, policy, SHARE))
                .orElseThrow()
                .positions()
                .toArray(int[][]::new);
    }

    private static int[][] kept(Engine engine, int[] ids) {
        try (Session session = engine.openSession()) {
            session.read(ids);
            session.cut((int) (SHARE * ids.length));
            return new Questioning(engine).kept(session).positions().toArray(int[][]::new);
        }
    }
}
