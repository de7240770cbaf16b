package org.pikv4j;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pikv4j.cache.control.Decisions;
import org.pikv4j.cache.storage.CacheUsage;
import org.pikv4j.session.Engine;
import org.pikv4j.session.GenerationOptions;
import org.pikv4j.session.Session;

/** One budget in bytes, within which pages change their forms and tokens go. */
class AutoTest {
    private static final Path MODEL = Path.of("../cli/src/main/resources/org/pikv4j/cli/demo");
    /** What a token takes in bf16, with its position in each of 8 tables. */
    private static final int BYTES_PER_TOKEN = 2048 + 32;

    private final GenerationOptions greedy = GoldenLogitsTest.greedyOptions().withMaxTokens(12);

    private static PiKV.Builder builder() {
        return PiKV.model(MODEL).pageTokens(16).prefillChunk(64).kvAuto();
    }

    private static int[] document(Engine engine, int count) throws IOException {
        String text = Files.readString(Path.of("../app/demo/document.txt"));
        return Arrays.copyOf(engine.model().tokenizer().encode(text, true), count);
    }

    private static float[][] logits(Engine engine, Session session, int[] ids) {
        int vocabulary = engine.model().config().vocabulary();
        float[][] logits = new float[ids.length][];
        session.logits(
                ids,
                (span, index, from, offset) -> logits[index] = Arrays.copyOfRange(from, offset, offset + vocabulary));
        return logits;
    }

    private static void checkAccount(Engine engine) {
        CacheUsage usage = engine.usage();
        assertThat(usage.heldBytes()).isLessThanOrEqualTo(usage.reservedBytes());
        assertThat(usage.reservedBytes()).isLessThanOrEqualTo(usage.budgetBytes());
    }

    @Test
    void whatFitsIsLeftAsItIs() throws IOException {
        try (Engine plain = PiKV.model(MODEL).pageTokens(16).prefillChunk(64).open();
                Engine auto = builder().open();
                Session expected = plain.openSession();
                Session actual = auto.openSession()) {
            int[] ids = document(plain, 700);
            assertThat(logits(auto, actual, ids)).isDeepEqualTo(logits(plain, expected, ids));
            assertThat(auto.decisions().orElseThrow().latest()).isEmpty();
            assertThat(plain.decisions()).isEmpty();
            assertThat(auto.usage().encodedPages()).isZero();
        }
    }

    /** 1,500 tokens in the bytes of ever fewer. */
    @ParameterizedTest
    @ValueSource(ints = {800, 400, 200, 130, 80})
    void theBudgetHoldsWhileAPromptIsReadAndEqualRunsAreEqual(int tokens) throws IOException {
        List<Object> runs = new ArrayList<>();
        for (int run = 0; run < 2; run++) {
            try (Engine engine =
                            builder().kvBudget((long) tokens * BYTES_PER_TOKEN).open();
                    Session session = engine.openSession()) {
                int[] ids = document(engine, 1500);
                for (int from = 0; from < ids.length; from += 100) {
                    session.read(Arrays.copyOfRange(ids, from, from + 100));
                    checkAccount(engine);
                    assertThat(engine.usage().heldBytes()).isEqualTo(session.kvBytes());
                }
                List<Integer> answer = session.generate("\nQuestion: Where is the knife? Answer:", greedy, piece -> {})
                        .tokens();
                checkAccount(engine);
                Decisions decisions = engine.decisions().orElseThrow();
                System.out.println(tokens + " " + decisions.kinds() + " "
                        + engine.model()
                                .tokenizer()
                                .decode(answer.stream().mapToInt(i -> i).toArray(), true));
                session.kept().forEach(k -> {
                    if (tokens == 130) System.out.println(k);
                });
                runs.add(List.of(answer, decisions));
            }
        }
        assertThat(runs.get(1)).isEqualTo(runs.get(0));
    }
}
