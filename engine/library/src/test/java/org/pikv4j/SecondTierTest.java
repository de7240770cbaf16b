package org.pikv4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.error.KvBudgetExceededException;
import org.pikv4j.session.Engine;
import org.pikv4j.session.GenerationOptions;
import org.pikv4j.session.GenerationResult;
import org.pikv4j.session.Session;

/** What the budget has no room for lies on disk, and everything else is as it would be in memory. */
class SecondTierTest {
    private static final Path MODEL = Path.of("../cli/src/main/resources/org/pikv4j/cli/demo");
    private static final int PAGE = 64;

    private final GenerationOptions greedy = GoldenLogitsTest.greedyOptions().withMaxTokens(12);

    @TempDir
    Path directory;

    private static PiKV.Builder builder(String kvDtype) {
        return PiKV.model(MODEL).kvDtype(kvDtype).prefillChunk(PAGE);
    }

    private PiKV.Builder tiered(String kvDtype, String budget) {
        return builder(kvDtype).kvBudget(budget).kvPolicy("flexgen:dir=" + directory);
    }

    private static int[] document(Engine engine, int tokens) throws IOException {
        String text = Files.readString(Path.of("../app/demo/document.txt"));
        return Arrays.copyOf(engine.model().tokenizer().encode(text, true), tokens);
    }

    /** What an engine makes of a document: logits of its end, and what follows. */
    private record Reading(List<float[]> logits, List<Integer> tokens) {
        static Reading of(Engine engine, Session session, GenerationOptions how) throws IOException {
            int[] ids = document(engine, 801);
            session.read(Arrays.copyOf(ids, 752));
            List<float[]> logits = new ArrayList<>();
            int vocabulary = engine.model().config().vocabulary();
            session.logits(
                    Arrays.copyOfRange(ids, 752, 800),
                    (span, index, row, offset) -> logits.add(Arrays.copyOfRange(row, offset, offset + vocabulary)));
            int[] last = {ids[800]};
            return new Reading(logits, session.generate(last, how, piece -> {}).tokens());
        }
    }

    /**
     * Bit for bit. Where batches begin has a part in rounding: every 16 tokens here, with a budget and without. So has, with
     * the Vector API, whether the JIT has come to a kernel yet: hence the scalar backend.
     */
    @ParameterizedTest
    @CsvSource({"bf16, 25%", "bf16, 256tok", "f32, 80tok", "int8, 25%", "'kivi4,int4', 25%"})
    void theOutputIsThatOfACacheInMemory(String kvDtype, String budget) throws IOException {
        Reading expected;
        try (Engine engine = small(builder(kvDtype)).open();
                Session session = engine.openSession()) {
            expected = Reading.of(engine, session, greedy);
        }
        try (Engine engine = small(tiered(kvDtype, budget)).open();
                Session session = engine.openSession()) {
            Reading reading = Reading.of(engine, session, greedy);
            assertThat(reading.tokens()).isEqualTo(expected.tokens());
            for (int i = 0; i < expected.logits().size(); i++) {
                assertThat(Arrays.mismatch(
                                reading.logits().get(i), expected.logits().get(i)))
                        .as("row %d", i)
                        .isNegative();
            }
            assertThat(session.tierBytes())
                    .isPositive()
                    .isEqualTo(engine.usage().tier().heldBytes());
            assertThat(session.retained(3, 1)).hasSize(session.tokens().length - 1);
        }
        assertThat(directory).isEmptyDirectory();
    }

    private static PiKV.Builder small(PiKV.Builder builder) {
        return builder.backend("scalar").pageTokens(16).prefillChunk(16);
    }

    @ParameterizedTest
    @CsvSource({"256tok, 4", "448tok, 7"})
    void memoryNeverHoldsMoreThanTheBudget(String budget, int pages) throws IOException {
        try (Engine engine = tiered("bf16", budget).open();
                Session session = engine.openSession()) {
            long page = 2L * PAGE * 64 * Short.BYTES;
            session.read(document(engine, 1500));
            assertThat(engine.usage().peakHeldBytes()).isEqualTo(4 * 2 * pages * page);
            assertThat(session.kvBytes() + session.tierBytes()).isEqualTo(4 * 2 * Math.ceilDiv(1500, PAGE) * page);
            session.cut(3 * PAGE);
            assertThat(session.kvBytes()).isEqualTo(4 * 2 * 3 * page);
            assertThat(session.retained(0, 0)).hasSize(1500);
            assertThatThrownBy(() -> session.cut(35)).isInstanceOf(InvalidOptionException.class);
        }
    }

    @Test
    void aBudgetOfBytesHoldsToo() throws IOException {
        try (Engine exact = builder("bf16").open();
                Session expected = exact.openSession();
                Engine engine = tiered("bf16", "1MiB").open();
                Session session = engine.openSession()) {
            int[] ids = document(engine, 700);
            assertThat(session.generate(ids, greedy, piece -> {}).tokens())
                    .isEqualTo(expected.generate(ids, greedy, piece -> {}).tokens());
            assertThat(engine.usage().peakHeldBytes()).isLessThanOrEqualTo(1 << 20);
            assertThat(session.tierBytes()).isPositive();
        }
        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void aFullDiskIsAnErrorThatLeavesTheSessionAsItWas() throws IOException {
        try (Engine engine = builder("bf16")
                        .kvBudget("256tok")
                        .kvPolicy("flexgen:disk=640KiB,dir=" + directory)
                        .open();
                Session session = engine.openSession()) {
            int[] ids = document(engine, 2000);
            session.read(Arrays.copyOf(ids, 400));
            List<Integer> expected;
            try (Session fork = session.fork()) {
                expected = fork.generate(new int[0], greedy, piece -> {}).tokens();
            }
            long held = session.kvBytes() + session.tierBytes();
            assertThatThrownBy(() -> session.read(Arrays.copyOfRange(ids, 400, ids.length)))
                    .isInstanceOf(KvBudgetExceededException.class)
                    .hasMessageContaining("second tier")
                    .hasMessageContaining("655360 bytes")
                    .hasMessageNotContaining("\n");
            assertThat(session.tokens()).hasSize(400);
            assertThat(session.kvBytes() + session.tierBytes()).isEqualTo(held);
            assertThat(engine.usage().tier().fileBytes()).isLessThanOrEqualTo(640 << 10);
            assertThat(session.generate(new int[0], greedy, piece -> {}).tokens())
                    .isEqualTo(expected);
        }
        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void aDirectoryThatIsGoneIsAnErrorToo() throws IOException {
        Path gone = Files.createDirectory(directory.resolve("gone"));
        try (Engine engine = builder("bf16")
                        .kvBudget("256tok")
                        .kvPolicy("flexgen:dir=" + gone)
                        .open();
                Session session = engine.openSession()) {
            Files.delete(gone);
            int[] ids = document(engine, 300);
            assertThatThrownBy(() -> session.read(ids)).isInstanceOf(KvBudgetExceededException.class);
            session.read(Arrays.copyOf(ids, 200));
        }
        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void forksShareTheFileAndTheLastOneEndsIt() throws IOException {
        try (Engine engine = tiered("bf16", "256tok").open()) {
            Session session = engine.openSession();
            int[] ids = document(engine, 600);
            session.read(ids);
            long onTier = engine.usage().tier().heldBytes();
            Session fork = session.fork();
            assertThat(engine.usage().tier().heldBytes()).isEqualTo(onTier);
            GenerationResult expected = session.generate(new int[0], greedy, piece -> {});
            session.close();
            assertThat(engine.usage().tier().heldBytes()).isEqualTo(onTier);
            assertThat(fork.generate(new int[0], greedy, piece -> {}).tokens()).isEqualTo(expected.tokens());
            // Back to the middle of a page on the tier, which is copied to be written.
            int[] other = Arrays.copyOf(ids, 180);
            other[150]++;
            fork.regenerate(other, greedy, piece -> {});
            List<Integer> again = fork.regenerate(ids, greedy, piece -> {}).tokens();
            assertThat(again).isEqualTo(expected.tokens());
            fork.close();
            assertThat(engine.usage().tier().heldBytes()).isZero();
            assertThat(engine.usage().tier().fileBytes()).isZero();
            assertThat(engine.usage().heldBytes()).isZero();
        }
    }

    @Test
    void anInterruptLeftBehindOnTheEnginesThreadDoesNoHarm() throws IOException {
        try (Engine engine = tiered("bf16", "256tok").open();
                Session session = engine.openSession()) {
            int[] ids = document(engine, 600);
            session.logits(
                    ids, (span, index, logits, offset) -> Thread.currentThread().interrupt());
            assertThat(session.tierBytes()).isPositive();
            session.generate(new int[0], greedy, piece -> {});
        }
    }

    @Test
    void closingTheEngineLeavesNothingBehind() throws IOException {
        Engine engine = tiered("bf16", "256tok").open();
        Session session = engine.openSession();
        session.read(document(engine, 600));
        session.fork();
        engine.close();
        assertThat(engine.usage().tier().heldBytes()).isZero();
        assertThat(engine.usage().tier().fileBytes()).isZero();
        assertThat(directory).isEmptyDirectory();
    }
}
