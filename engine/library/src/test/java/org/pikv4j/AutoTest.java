package org.pikv4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pikv4j.cache.control.Decision;
import org.pikv4j.cache.control.Decisions;
import org.pikv4j.cache.control.KeptPages;
import org.pikv4j.cache.storage.CacheUsage;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.error.KvBudgetExceededException;
import org.pikv4j.session.Engine;
import org.pikv4j.session.GenerationOptions;
import org.pikv4j.session.Session;
import org.pikv4j.shard.ShardSpec;

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

    /** 1,000 tokens in the bytes of ever fewer. */
    @ParameterizedTest
    @ValueSource(ints = {400, 130, 80})
    void theBudgetHoldsWhileAPromptIsReadAndEqualRunsAreEqual(int tokens) throws IOException {
        List<Object> runs = new ArrayList<>();
        for (int run = 0; run < 2; run++) {
            try (Engine engine =
                            builder().kvBudget((long) tokens * BYTES_PER_TOKEN).open();
                    Session session = engine.openSession()) {
                int[] ids = document(engine, 1000);
                for (int from = 0; from < ids.length; from += 100) {
                    session.read(Arrays.copyOfRange(ids, from, from + 100));
                    checkAccount(engine);
                    assertThat(engine.usage().heldBytes()).isEqualTo(session.kvBytes());
                }
                List<Integer> answer = session.generate("\nQuestion: Where is the knife? Answer:", greedy, piece -> {})
                        .tokens();
                checkAccount(engine);
                assertThat(engine.decisions().orElseThrow().bytes()).isPositive();
                runs.add(List.of(answer, decisions(engine)));
            }
        }
        assertThat(runs.get(1)).isEqualTo(runs.get(0));
    }

    /** All but the errors, whose last digits depend on how far the machine has compiled its own. */
    private static List<String> decisions(Engine engine) {
        return engine.decisions().orElseThrow().latest().stream()
                .map(d -> d.layer() + "." + d.kvHead() + " " + d.first() + "-" + d.last() + " " + d.kind() + " "
                        + d.dropped() + " " + d.bytes())
                .toList();
    }

    @Test
    void aSessionGetsAsSmallAsItIsAskedTo() throws IOException {
        try (Engine engine = builder().open();
                Session session = engine.openSession()) {
            session.read(Files.readString(Path.of("../app/demo/document.txt"))
                    .lines()
                    .findFirst()
                    .orElseThrow());
            int tokens = session.tokens().length;
            long before = session.kvBytes();
            session.shrink(before / 8);
            assertThat(session.kvBytes()).isLessThanOrEqualTo(before / 8);
            Decisions decisions = engine.decisions().orElseThrow();
            assertThat(decisions.bytes()).isEqualTo(before - session.kvBytes());
            assertThat(decisions.latest().stream().mapToLong(Decision::bytes).sum())
                    .isEqualTo(decisions.bytes());
            assertThat(session.kept().stream().mapToLong(KeptPages::bytes).sum())
                    .isEqualTo(session.kvBytes());
            assertThat(session.tokens()).hasSize(tokens);
            assertThatThrownBy(() -> session.shrink(1000))
                    .isInstanceOf(KvBudgetExceededException.class)
                    .hasMessageContaining("what must stay");
        }
    }

    /** Reading, generating, forking, cutting and closing in a pool that is far too small for all of it. */
    @Test
    void severalSessionsAndForksStayWithinOneBudget() throws IOException {
        long seed = TestSeeds.seed();
        SplittableRandom random = new SplittableRandom(seed);
        try (Engine engine = builder().kvBudget(600L * BYTES_PER_TOKEN).open()) {
            int[] text = document(engine, 1900);
            List<Session> sessions = new ArrayList<>();
            for (int step = 0; step < 40; step++) {
                if (sessions.isEmpty() || (sessions.size() < 4 && random.nextInt(3) == 0)) {
                    sessions.add(engine.openSession());
                }
                Session session = sessions.get(random.nextInt(sessions.size()));
                try {
                    switch (random.nextInt(6)) {
                        case 0, 1, 2 -> {
                            int from = random.nextInt(1500);
                            session.read(Arrays.copyOfRange(text, from, from + 20 + random.nextInt(300)));
                        }
                        case 3 -> session.generate(Arrays.copyOf(text, 3), greedy, piece -> {});
                        case 4 -> sessions.add(session.fork());
                        default -> {
                            session.close();
                            sessions.remove(session);
                        }
                    }
                } catch (KvBudgetExceededException e) {
                    session.close(); // what nobody may take from it takes all there is
                    sessions.remove(session);
                }
                checkAccount(engine);
                assertThat(sessions.stream().mapToLong(Session::kvBytes).sum())
                        .as(TestSeeds.repeat(seed))
                        .isGreaterThanOrEqualTo(engine.usage().heldBytes());
            }
            assertThat(engine.decisions().orElseThrow().bytes()).isPositive();
            sessions.forEach(Session::close);
            assertThat(engine.usage().heldBytes()).isZero();
            assertThat(engine.usage().reservedBytes()).isZero();
        }
    }

    /** A turn that is said anew finds a cache that has been squeezed, and is squeezed again. */
    @Test
    void aSqueezedSessionGoesBackAndOn() throws IOException {
        try (Engine engine = builder().kvBudget(200L * BYTES_PER_TOKEN).open();
                Session session = engine.openSession()) {
            int[] ids = document(engine, 900);
            List<Integer> first = session.generate(ids, greedy, piece -> {}).tokens();
            long decided = engine.decisions().orElseThrow().bytes();
            assertThat(decided).isPositive();
            int[] other = ids.clone();
            other[600] = ids[601];
            session.regenerate(other, greedy, piece -> {});
            checkAccount(engine);
            assertThat(session.tokens()).startsWith(other);
            assertThat(engine.usage().heldBytes()).isEqualTo(session.kvBytes());
            assertThat(engine.decisions().orElseThrow().bytes()).isGreaterThan(decided);
            session.regenerate(ids, greedy, piece -> {});
            checkAccount(engine);
            assertThat(session.tokens()).startsWith(ids).hasSize(ids.length + first.size());
        }
    }

    /** Routers see pages in all forms, and what is gone. */
    @ParameterizedTest
    @ValueSource(strings = {"cache-aware:k=2", "query-centroid:k=2,by=page"})
    void aRoutedSessionStaysWithinTheBudget(String route) throws IOException {
        try (Engine engine =
                        builder().route(route).kvBudget(150L * BYTES_PER_TOKEN).open();
                Session session = engine.openSession()) {
            int[] ids = document(engine, 900);
            session.read(ids);
            session.generate("\nQuestion: Where is the knife? Answer:", greedy, piece -> {});
            checkAccount(engine);
            assertThat(engine.usage().heldBytes()).isEqualTo(session.kvBytes());
            assertThat(engine.decisions().orElseThrow().latest()).anyMatch(decision -> decision.dropped() > 0);
        }
    }

    /** Pages get smaller on the shards that they are on, and go on to others. */
    @ParameterizedTest
    @ValueSource(strings = {"hash", "expert"})
    void shardsStayWithinTheBudget(String placement) throws IOException {
        try (Engine engine = builder()
                        .shards(3, placement)
                        .kvBudget(150L * BYTES_PER_TOKEN)
                        .open();
                Session session = engine.openSession()) {
            int[] ids = document(engine, 900);
            for (int from = 0; from < ids.length; from += 100) {
                session.read(Arrays.copyOfRange(ids, from, from + 100));
                checkAccount(engine);
            }
            assertThat(engine.shards())
                    .allMatch(shard -> shard.pages() > 0 && shard.heldBytes() <= shard.capacityBytes());
            engine.addShard(ShardSpec.EQUAL);
            engine.drainShard(0);
            assertThat(engine.shards().getFirst().pages()).isZero();
            session.generate("\nQuestion: Where is the knife? Answer:", greedy, piece -> {});
            checkAccount(engine);
            assertThat(engine.usage().heldBytes()).isEqualTo(session.kvBytes());
            List<Decision> decisions = engine.decisions().orElseThrow().latest();
            assertThat(decisions).anyMatch(decision -> decision.dropped() > 0);
            assertThat(decisions)
                    .anyMatch(decision -> decision.toShard() >= 0
                            && decision.fromShard() == decision.toShard()
                            && decision.kind().equals("bf16 -> int8"));
            assertThat(decisions)
                    .filteredOn(decision -> decision.kind().equals("moved to another shard"))
                    .isNotEmpty()
                    .allMatch(decision -> decision.bytes() == 0 && decision.fromShard() != decision.toShard());
            assertThat(session.kept().stream().mapToLong(KeptPages::bytes).sum())
                    .isEqualTo(session.kvBytes());
            assertThat(session.kept()).noneMatch(pages -> pages.shard() == 0);
        }
    }

    /** What has become smaller on one shard says the same on any other. */
    @Test
    void smallerPagesMayMove() throws IOException {
        List<float[][]> answers = new ArrayList<>();
        try (Engine engine = builder().shards(3, "hash").open();
                Session session = engine.openSession()) {
            int[] ids = document(engine, 700);
            session.read(Arrays.copyOf(ids, 600));
            session.shrink(session.kvBytes() / 6);
            for (int drained = -1; drained < 2; drained++) {
                if (drained >= 0) {
                    assertThat(engine.drainShard(drained).pages()).isPositive();
                }
                try (Session fork = session.fork()) {
                    answers.add(logits(engine, fork, Arrays.copyOfRange(ids, 600, 700)));
                }
            }
            assertThat(engine.decisions().orElseThrow().latest()).anyMatch(decision -> decision.dropped() > 0);
        }
        for (int moved = 1; moved < 3; moved++) {
            for (int row = 0; row < 100; row++) {
                assertThat(answers.get(moved)[row]).containsExactly(answers.getFirst()[row], offset(1e-4f));
            }
        }
    }

    /** The page that goes on is on a shard, and must come back first. */
    @Test
    void aTurnThatIsSaidAnewOnAShardFindsRoom() throws IOException {
        try (Engine engine = builder()
                        .shards(2, "hash")
                        .kvBudget(400L * BYTES_PER_TOKEN)
                        .open();
                Session session = engine.openSession();
                Session other = engine.openSession()) {
            int[] ids = document(engine, 1900);
            session.read(Arrays.copyOf(ids, 160));
            other.read(Arrays.copyOfRange(ids, 200, 500));
            for (int i = 500; i < 564; i++) {
                other.read(new int[] {ids[i]});
            }
            int[] anew = Arrays.copyOf(ids, 156);
            System.arraycopy(ids, 1000, anew, 152, 4);
            session.regenerate(anew, greedy, piece -> {});
            assertThat(session.tokens()).startsWith(anew);
            checkAccount(engine);
        }
    }

    /** What was moved is no sign of a budget that was reached. */
    @Test
    void whatWasMovedStillFits() throws IOException {
        try (Engine engine = builder().shards(2, "hash").open();
                Session session = engine.openSession()) {
            session.read(document(engine, 300));
            engine.addShard(ShardSpec.EQUAL);
            assertThat(engine.rebalance().pages()).isPositive();
            assertThat(engine.decisions().orElseThrow().kinds())
                    .singleElement()
                    .satisfies(sum -> assertThat(sum.kind()).isEqualTo("moved to another shard"));
            assertThat(session.kept()).allMatch(pages -> pages.reason().matches("still being filled|all of it fits"));
        }
    }

    /** With all read, that is what one without a router says. */
    @Test
    void routingToAllChangesNothing() throws IOException {
        List<List<Integer>> answers = new ArrayList<>();
        for (boolean routed : List.of(false, true)) {
            PiKV.Builder builder = builder().kvBudget(300L * BYTES_PER_TOKEN);
            try (Engine engine = (routed ? builder.route("exact") : builder).open();
                    Session session = engine.openSession()) {
                session.read(document(engine, 900));
                answers.add(session.generate("\nQuestion: Where is the knife? Answer:", greedy, piece -> {})
                        .tokens());
            }
        }
        assertThat(answers.get(1)).isEqualTo(answers.get(0));
    }

    /** Who is cancelled, or finds no room, leaves the others alone, and what was made smaller is accounted for. */
    @Test
    void whoFailsDoesSoAlone() throws Exception {
        try (Engine engine = builder().kvBudget(120L * BYTES_PER_TOKEN).open();
                Session good = engine.openSession();
                Session idle = engine.openSession();
                Session bad = engine.openSession()) {
            int[] ids = document(engine, 1000);
            idle.read(Arrays.copyOf(ids, 100));
            idle.cancel(); // without a call under way: nothing
            CountDownLatch begun = new CountDownLatch(1);
            Thread cancels = Thread.ofPlatform().start(() -> {
                try {
                    begun.await();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
                bad.cancel();
            });
            Thread fails = Thread.ofPlatform().start(() -> {
                assertThatThrownBy(() -> bad.logits(ids, (span, index, logits, offset) -> begun.countDown()))
                        .isInstanceOf(CancellationException.class);
            });
            good.read(Arrays.copyOf(ids, 700));
            List<Integer> answer = good.generate("\nQuestion: Where is the knife? Answer:", greedy, piece -> {})
                    .tokens();
            cancels.join();
            fails.join();
            assertThat(answer).isNotEmpty();
            assertThat(bad.tokens()).isEmpty();
            checkAccount(engine);
            bad.read(Arrays.copyOf(ids, 50));
            assertThat(bad.tokens()).hasSize(50);
            assertThat(idle.tokens()).hasSize(100);
            checkAccount(engine);
        }
    }

    @Test
    void whatMakesNoSenseIsRefused() {
        assertThatThrownBy(() -> builder().kvBudget("25%").open())
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("kv auto spends bytes");
        assertThatThrownBy(() -> builder().kvDtype("int8").open())
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("kv auto chooses forms itself");
        assertThatThrownBy(() -> builder().kvBudget(8 * 4160).open())
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("too small for kv auto");
        try (Engine engine = PiKV.model(MODEL).open();
                Session session = engine.openSession()) {
            session.read("Ada likes mango.");
            assertThatThrownBy(() -> session.shrink(1000))
                    .isInstanceOf(InvalidOptionException.class)
                    .hasMessageContaining("kv auto is not on");
            assertThat(session.kept()).isEmpty();
        }
        try (Engine engine = builder().open();
                Session session = engine.openSession()) {
            session.read("Ada likes mango.");
            assertThatThrownBy(() -> session.cut(2))
                    .isInstanceOf(InvalidOptionException.class)
                    .hasMessageContaining("shrink");
            assertThat(session.kept())
                    .isNotEmpty()
                    .allMatch(pages -> pages.reason().matches("still being filled|all of it fits"));
        }
    }
}
