package org.pikv4j;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pikv4j.cache.compression.Codecs;
import org.pikv4j.session.Engine;
import org.pikv4j.session.GenerationOptions;
import org.pikv4j.session.GenerationResult;
import org.pikv4j.session.Session;

/** With all modules of the cache at their defaults the engine is dense attention: against an independent implementation. */
class GoldenLogitsTest {
    /** The weights are bf16, the arithmetic float32. */
    private static final float TOLERANCE = 5e-3f;

    private static Stream<Arguments> cases() {
        List<Arguments> cases = new ArrayList<>();
        for (var model : Golden.fixtures()) {
            for (String backend : List.of("scalar", "vector")) {
                for (int pageTokens : new int[] {16, 32, 64}) {
                    for (int chunk : new int[] {1, 7, 64}) {
                        cases.add(Arguments.of(model.getFileName().toString(), backend, pageTokens, chunk));
                    }
                }
            }
        }
        return cases.stream();
    }

    @ParameterizedTest(name = "{0}, {1}, pages of {2}, chunks of {3}")
    @MethodSource("cases")
    void logitsAndGreedyTokensAreTheReferences(String fixture, String backend, int pageTokens, int chunk) {
        check(Golden.of(Golden.fixture(fixture)), backend, pageTokens, chunk);
    }

    @ParameterizedTest
    @ValueSource(strings = {"scalar", "vector"})
    void theTrainedModelsToo(String backend) {
        check(Golden.recallMoe(), backend, 64, 100);
        check(Golden.recallCodes(), backend, 16, 37);
    }

    private static void check(Golden golden, String backend, int pageTokens, int chunk) {
        try (Engine engine = PiKV.model(golden.model())
                .backend(backend)
                .kvDtype(Codecs.F32)
                .pageTokens(pageTokens)
                .prefillChunk(chunk)
                .open()) {
            float[] worst = {0f};
            int[] rows = {0};
            try (Session session = engine.openSession()) {
                session.logits(golden.inputIds(), (span, index, logits, offset) -> {
                    worst[0] = Math.max(worst[0], golden.difference(index, logits, offset));
                    rows[0]++;
                });
            }
            assertThat(worst[0]).isLessThan(TOLERANCE);
            assertThat(rows[0]).isEqualTo(golden.inputIds().length);
            try (Session session = engine.openSession()) {
                assertThat(greedy(session, golden.inputIds())).isEqualTo(asList(golden.greedyIds()));
            }
            assertThat(engine.usage().heldBytes()).isZero();
            assertThat(engine.usage().reservedBytes()).isZero();
        }
    }

    static List<Integer> greedy(Session session, int[] prompt) {
        GenerationResult result = session.generate(prompt, greedyOptions(), piece -> {});
        return result.tokens();
    }

    static GenerationOptions greedyOptions() {
        return new GenerationOptions(24, 0f, 0, 1f, 0f, 1f, OptionalLong.empty(), List.of(), Set.of());
    }

    static List<Integer> asList(int[] ids) {
        return Arrays.stream(ids).boxed().toList();
    }
}
