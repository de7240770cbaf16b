package org.pikv4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pikv4j.backend.Backend;
import org.pikv4j.backend.BackendOptions;
import org.pikv4j.backend.BackendProvider;
import org.pikv4j.backend.BackendStatus;
import org.pikv4j.backend.Backends;
import org.pikv4j.cache.routing.ExpertLoad;
import org.pikv4j.cache.routing.HashPlacement;
import org.pikv4j.cache.routing.NewPage;
import org.pikv4j.cache.routing.Placement;
import org.pikv4j.cache.routing.ShardLoads;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.error.ShardFailedException;
import org.pikv4j.session.Engine;
import org.pikv4j.session.GenerationOptions;
import org.pikv4j.session.Session;
import org.pikv4j.shard.RebalanceRule;
import org.pikv4j.shard.ShardMoves;
import org.pikv4j.shard.ShardOptions;
import org.pikv4j.shard.ShardSpec;
import org.pikv4j.shard.ShardUsage;

/** Where pages live makes no difference, but to bytes. */
class ShardsTest {
    private static final Path MODEL = Path.of("../cli/src/main/resources/org/pikv4j/cli/demo");
    private static final List<String> PLACEMENTS = List.of("expert", "hash", "round-robin");

    private static Stream<Arguments> cases() {
        List<Arguments> cases = new ArrayList<>();
        for (Path model : Golden.fixtures()) {
            for (String placement : PLACEMENTS) {
                for (int shards : new int[] {1, 2, 3, 8}) {
                    cases.add(Arguments.of(model.getFileName().toString(), placement, shards));
                }
            }
        }
        return cases.stream();
    }

    @ParameterizedTest(name = "{0}, {1}, {2} shards")
    @MethodSource("cases")
    void logitsAndGreedyTokensAreTheReferences(String fixture, String placement, int shards) {
        Golden golden = Golden.of(Golden.fixture(fixture));
        try (Engine engine = PiKV.model(golden.model())
                        .kvDtype("f32")
                        .pageTokens(16)
                        .prefillChunk(7)
                        .shards(shards, placement)
                        .open();
                Engine whole = PiKV.model(golden.model())
                        .kvDtype("f32")
                        .pageTokens(16)
                        .prefillChunk(7)
                        .open()) {
            float[][] expected = logits(whole, golden.inputIds());
            float[][] actual = logits(engine, golden.inputIds());
            for (int i = 0; i < expected.length; i++) {
                assertThat(golden.difference(i, actual[i], 0)).isLessThan(5e-3f);
                assertThat(actual[i]).containsExactly(expected[i], within(1e-4f));
            }
            try (Session session = engine.openSession()) {
                assertThat(GoldenLogitsTest.greedy(session, golden.inputIds()))
                        .isEqualTo(GoldenLogitsTest.asList(golden.greedyIds()));
                assertThat(engine.shards().stream().mapToLong(ShardUsage::pages).sum())
                        .isPositive();
            }
            assertThat(engine.shards()).allMatch(shard -> shard.heldBytes() == 0);
            assertThat(engine.usage().reservedBytes()).isZero();
        }
    }

    private static float[][] logits(Engine engine, int[] ids) {
        float[][] rows = new float[ids.length][];
        int vocabulary = engine.model().config().vocabulary();
        try (Session session = engine.openSession()) {
            session.logits(
                    ids,
                    (span, index, logits, offset) ->
                            rows[index] = Arrays.copyOfRange(logits, offset, offset + vocabulary));
        }
        return rows;
    }

    private static int[] document(Engine engine, int tokens) throws IOException {
        String text = Files.readString(Path.of("../app/demo/document.txt"));
        return Arrays.copyOf(engine.model().tokenizer().encode(text, true), tokens);
    }

    /** Evictions, compressed forms, forks and cuts meet pages that live elsewhere. */
    @ParameterizedTest
    @CsvSource({
        "bf16, keydiff, 256tok",
        "bf16, h2o, 40%",
        "bf16, streaming-llm, 192tok",
        "bf16, kvzip, 256tok",
        "int8, , ",
        "'kivi4,int4', keydiff, 400tok"
    })
    void theRestOfTheCacheDoesNotMind(String kvDtype, String policy, String budget) throws IOException {
        List<List<Integer>> texts = new ArrayList<>();
        for (int shards : new int[] {0, 3}) {
            PiKV.Builder builder =
                    PiKV.model(MODEL).kvDtype(kvDtype).pageTokens(16).prefillChunk(64);
            if (policy != null) {
                builder.kvPolicy(policy).kvBudget(budget);
            }
            if (shards > 0) {
                builder.shards(shards, "hash");
            }
            try (Engine engine = builder.open();
                    Session session = engine.openSession()) {
                int[] ids = document(engine, 700);
                session.read(Arrays.copyOf(ids, 650));
                try (Session fork = session.fork()) {
                    texts.add(GoldenLogitsTest.greedy(fork, Arrays.copyOfRange(ids, 650, 690)));
                }
                int[] other = Arrays.copyOf(ids, 660);
                other[600]++;
                texts.add(session.regenerate(other, GoldenLogitsTest.greedyOptions(), piece -> {})
                        .tokens());
                if (shards > 0) {
                    checkAccount(engine, session);
                }
            }
        }
        assertThat(texts.subList(2, 4)).isEqualTo(texts.subList(0, 2));
    }

    private static void checkAccount(Engine engine, Session session) {
        long onShards =
                engine.shards().stream().mapToLong(ShardUsage::heldBytes).sum();
        assertThat(onShards).isPositive().isLessThan(session.kvBytes());
        assertThat(engine.usage().heldBytes()).isEqualTo(session.kvBytes());
        assertThat(engine.shards()).allMatch(shard -> shard.heldBytes() <= shard.capacityBytes());
        assertThat(engine.shards())
                .allMatch(shard -> shard.queries() > 0 && shard.queryBytes() > 0 && shard.answerBytes() > 0);
        assertThat(engine.shards().stream().mapToLong(ShardUsage::rowBytes).sum())
                .isGreaterThanOrEqualTo(onShards);
    }

    @ParameterizedTest
    @ValueSource(strings = {"hash", "round-robin"})
    void shardsHoldWhatTheirWeightsSay(String placement) throws IOException {
        List<ShardSpec> specs = List.of(new ShardSpec(1, 1), new ShardSpec(2, 1), new ShardSpec(1, 3), ShardSpec.EQUAL);
        double all = 1 + 2 + 3 + 1;
        try (Engine engine = PiKV.model(MODEL)
                        .pageTokens(16)
                        .shards(specs, placement)
                        .open();
                Session session = engine.openSession()) {
            session.read(document(engine, 2000));
            long held =
                    engine.shards().stream().mapToLong(ShardUsage::heldBytes).sum();
            assertThat(held).isGreaterThan(session.kvBytes() * 98 / 100);
            for (ShardUsage shard : engine.shards()) {
                ShardSpec spec = specs.get(shard.shard());
                double share = spec.capacity() * spec.speed() / all;
                assertThat(shard.heldBytes() / (double) held).isCloseTo(share, within(0.05 * share));
            }
        }
    }

    /** Pages move, shards come and go, and what is generated is the same. */
    @ParameterizedTest
    @ValueSource(strings = {"expert", "hash", "round-robin"})
    void pagesMoveWhileSessionsGoOn(String placement) throws IOException {
        GenerationOptions how = GoldenLogitsTest.greedyOptions().withMaxTokens(60);
        List<Integer> expected;
        try (Engine whole = PiKV.model(MODEL).kvDtype("f32").pageTokens(16).open();
                Session session = whole.openSession()) {
            expected = session.generate(document(whole, 700), how, piece -> {}).tokens();
        }
        try (Engine engine = PiKV.model(MODEL)
                        .kvDtype("f32")
                        .pageTokens(16)
                        .shards(3, placement)
                        .open();
                Session session = engine.openSession()) {
            AtomicInteger pieces = new AtomicInteger();
            List<Long> moved = new ArrayList<>();
            List<Integer> actual = session.generate(document(engine, 700), how, piece -> {
                        switch (pieces.incrementAndGet()) {
                            case 2 -> moved.add(engine.rebalance().pages());
                            case 4 -> {
                                engine.addShard(new ShardSpec(2, 1));
                                moved.add(engine.rebalance().bytes());
                            }
                            case 6 -> {
                                moved.add(engine.drainShard(1).pages());
                                assertThat(engine.shards().get(1).heldBytes()).isZero();
                            }
                            default -> {}
                        }
                    })
                    .tokens();
            assertThat(actual).isEqualTo(expected);
            assertThat(moved).hasSize(3);
            assertThat(moved.subList(1, 3)).allMatch(some -> some > 0);
            List<ShardUsage> shards = engine.shards();
            assertThat(shards.get(3).heldBytes()).isPositive();
            assertThat(shards.get(1).heldBytes()).isZero();
            double mean = shards.stream().mapToLong(ShardUsage::heldBytes).sum() / 4.0; // weights 1, 0, 1 and 2
            assertThat((double) shards.get(3).heldBytes()).isCloseTo(2 * mean, within(0.15 * 2 * mean));
        }
    }

    /** All to the first, until loads are known. */
    private static final class Lopsided implements Placement {
        @Override
        public String name() {
            return "lopsided";
        }

        @Override
        public int shard(NewPage page, ShardLoads shards) {
            return 0;
        }

        @Override
        public Placement balanced(List<ExpertLoad> loads, ShardLoads shards) {
            return new HashPlacement();
        }
    }

    private static PiKV.Builder lopsided(Path model, RebalanceRule rule) {
        List<ShardSpec> specs = List.of(ShardSpec.EQUAL, ShardSpec.EQUAL, new ShardSpec(2, 1));
        return PiKV.model(model)
                .kvDtype("f32")
                .pageTokens(16)
                .shards(new ShardOptions(specs, new Lopsided()).withRebalance(rule));
    }

    private static PiKV.Builder whole(Path model) {
        return PiKV.model(model).kvDtype("f32").pageTokens(16);
    }

    private static long sum(Engine engine, ToLongFunction<ShardUsage> of) {
        return engine.shards().stream().mapToLong(of).sum();
    }

    private static Stream<String> fixtures() {
        return Golden.fixtures().stream().map(model -> model.getFileName().toString());
    }

    @ParameterizedTest
    @MethodSource("fixtures")
    void whoRebalancesByItselfChangesNothing(String fixture) {
        Golden golden = Golden.of(Golden.fixture(fixture));
        try (Engine engine = lopsided(golden.model(), new RebalanceRule(1.01, 5))
                        .prefillChunk(7)
                        .open();
                Engine whole = whole(golden.model()).prefillChunk(7).open()) {
            float[][] expected = logits(whole, golden.inputIds());
            float[][] actual = logits(engine, golden.inputIds());
            for (int i = 0; i < expected.length; i++) {
                assertThat(actual[i]).containsExactly(expected[i], within(1e-4f));
            }
            assertThat(engine.shardStats().rebalances()).isPositive();
            assertThat(engine.shardStats().moves().pages()).isPositive();
            try (Session session = engine.openSession()) {
                assertThat(GoldenLogitsTest.greedy(session, golden.inputIds()))
                        .isEqualTo(GoldenLogitsTest.asList(golden.greedyIds()));
            }
            assertThat(engine.shards()).allMatch(shard -> shard.heldBytes() == 0);
            assertThat(engine.usage().reservedBytes()).isZero();
        }
    }

    /** In the midst of a generation, and no more often than was said. */
    @ParameterizedTest
    @ValueSource(strings = {"expert", "hash", "round-robin"})
    void loadsThatGrowUnevenAreRebalancedNowAndThen(String placement) throws IOException {
        GenerationOptions how = GoldenLogitsTest.greedyOptions().withMaxTokens(100);
        List<ShardSpec> specs = List.of(ShardSpec.EQUAL, ShardSpec.EQUAL, ShardSpec.EQUAL);
        try (Engine whole = whole(MODEL).open();
                Session plain = whole.openSession();
                Engine engine = whole(MODEL)
                        .shards(new ShardOptions(specs, ShardOptions.placement(placement))
                                .withRebalance(new RebalanceRule(1.02, 8)))
                        .open();
                Session session = engine.openSession()) {
            int[] ids = document(engine, 300);
            assertThat(session.generate(ids, how, piece -> {}).tokens())
                    .isEqualTo(plain.generate(ids, how, piece -> {}).tokens());
            assertThat(engine.shardStats().rebalances()).isLessThanOrEqualTo(400 / 8);
            if (placement.equals("expert")) {
                assertThat(engine.shardStats().rebalances()).isPositive();
            } else { // these share out as well as they can from the beginning
                assertThat(engine.shardStats().moves().pages()).isLessThan(sum(engine, ShardUsage::pages) / 4);
            }
        }
    }

    @Test
    void eachStepReadsWhatShardsHold() throws IOException {
        try (Engine engine =
                        PiKV.model(MODEL).pageTokens(16).shards(2, "expert").open();
                Session session = engine.openSession()) {
            session.read(document(engine, 320));
            List<ShardUsage> before = engine.shards();
            session.generate(
                    document(engine, 1), GoldenLogitsTest.greedyOptions().withMaxTokens(5), piece -> {});
            for (ShardUsage after : engine.shards()) {
                ShardUsage was = before.get(after.shard());
                assertThat(after.readBytes() - was.readBytes()).isPositive().isEqualTo(5 * after.heldBytes());
                assertThat(after.heldBytes()).isEqualTo(was.heldBytes());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"expert", "hash", "round-robin"})
    void whatIsInItsPlaceStaysThere(String placement) throws IOException {
        try (Engine engine =
                        PiKV.model(MODEL).pageTokens(16).shards(3, placement).open();
                Session session = engine.openSession()) {
            session.read(document(engine, 640));
            engine.rebalance();
            assertThat(engine.rebalance().pages()).isLessThan(sum(engine, ShardUsage::pages) / 20);
        }
    }

    @Test
    void whatForksShareMovesOnce() throws IOException {
        try (Engine whole = whole(MODEL).open();
                Engine engine = lopsided(MODEL, new RebalanceRule(1.1, 1 << 20)).open();
                Session plain = whole.openSession()) {
            Session session = engine.openSession();
            int[] ids = document(engine, 660);
            plain.read(Arrays.copyOf(ids, 640));
            session.read(Arrays.copyOf(ids, 640));
            try (Session plainFork = plain.fork();
                    Session fork = session.fork()) {
                long held = sum(engine, ShardUsage::heldBytes);
                assertThat(engine.rebalance().bytes()).isPositive().isLessThan(held);
                assertThat(sum(engine, ShardUsage::heldBytes)).isEqualTo(held);
                int[] rest = Arrays.copyOfRange(ids, 640, 660);
                assertThat(GoldenLogitsTest.greedy(fork, rest)).isEqualTo(GoldenLogitsTest.greedy(plainFork, rest));
                session.close();
                engine.rebalance();
                assertThat(GoldenLogitsTest.greedy(fork, ids)).isEqualTo(GoldenLogitsTest.greedy(plainFork, ids));
            }
            assertThat(engine.shards()).allMatch(shard -> shard.heldBytes() == 0);
        }
    }

    /** A query names pages by runs: its length does not depend on how many there are, before and after they have moved. */
    @ParameterizedTest
    @ValueSource(strings = {"expert", "hash", "round-robin"})
    void queriesDoNotGrowWithTheContext(String placement) throws IOException {
        try (Engine engine =
                        PiKV.model(MODEL).pageTokens(16).shards(3, placement).open();
                Session session = engine.openSession()) {
            int[] ids = document(engine, 1000);
            session.read(Arrays.copyOf(ids, 320));
            long shorter = queryBytesOfAStep(engine, session);
            // 16 bytes, a run of 20 and two queries of 64 numbers for each KV head, in four layers.
            assertThat(shorter).isEqualTo(3 * 4 * 2 * (16 + 20 + 2 * 64 * Float.BYTES));
            session.read(Arrays.copyOfRange(ids, 320, 1000));
            assertThat(queryBytesOfAStep(engine, session)).isEqualTo(shorter);
            engine.addShard(ShardSpec.EQUAL);
            assertThat(engine.rebalance().pages()).isPositive();
            assertThat(queryBytesOfAStep(engine, session)).isEqualTo(shorter / 3 * 4);
        }
    }

    private static long queryBytesOfAStep(Engine engine, Session session) throws IOException {
        long before = sum(engine, ShardUsage::queryBytes);
        session.read(document(engine, 1));
        return sum(engine, ShardUsage::queryBytes) - before;
    }

    @Test
    void shardsAreDrainedToTheLastAndAgain() throws IOException {
        try (Engine whole = whole(MODEL).open();
                Engine engine = whole(MODEL).shards(2, "expert").open();
                Session plain = whole.openSession();
                Session session = engine.openSession()) {
            int[] ids = document(engine, 330);
            plain.read(Arrays.copyOf(ids, 320));
            session.read(Arrays.copyOf(ids, 320));
            long all = sum(engine, ShardUsage::pages);
            long first = engine.shards().getFirst().pages();
            assertThat(engine.drainShard(0).pages()).isEqualTo(first);
            ShardMoves last = engine.drainShard(1);
            assertThat(last.pages()).isEqualTo(all);
            assertThat(last.left()).isZero();
            assertThat(engine.drainShard(1).pages()).isZero();
            assertThat(engine.shards())
                    .allMatch(shard -> shard.heldBytes() == 0 && shard.share() == 0 && !shard.open());
            int[] more = Arrays.copyOfRange(ids, 320, 325);
            assertThat(GoldenLogitsTest.greedy(session, more)).isEqualTo(GoldenLogitsTest.greedy(plain, more));
            engine.addShard(ShardSpec.EQUAL);
            assertThat(engine.rebalance().pages())
                    .isEqualTo(engine.shards().get(2).pages())
                    .isGreaterThanOrEqualTo(all);
            // The others are of no account.
            assertThat(engine.shards().get(2).capacityBytes())
                    .isEqualTo(engine.usage().budgetBytes());
            assertThat(GoldenLogitsTest.greedy(session, more)).isEqualTo(GoldenLogitsTest.greedy(plain, more));
        }
    }

    @Test
    void aSessionClosedInTheMidstLeavesNothing() throws IOException {
        try (Engine engine = lopsided(MODEL, new RebalanceRule(1.01, 1)).open()) {
            AtomicInteger pieces = new AtomicInteger();
            Session session = engine.openSession();
            session.generate(
                    document(engine, 300), GoldenLogitsTest.greedyOptions().withMaxTokens(400), piece -> {
                        if (pieces.incrementAndGet() == 5) {
                            session.close();
                        }
                    });
            assertThat(engine.shardStats().rebalances()).isPositive();
            assertThat(engine.shards()).allMatch(shard -> shard.heldBytes() == 0);
            try (Session next = engine.openSession()) {
                next.read(document(engine, 100));
            }
            assertThat(engine.usage().reservedBytes()).isZero();
        }
    }

    @Test
    void aPlacementThatChoosesNoShardIsNamed() throws IOException {
        Placement astray = new Placement() {
            @Override
            public String name() {
                return "astray";
            }

            @Override
            public int shard(NewPage page, ShardLoads shards) {
                return 7;
            }
        };
        try (Engine engine = PiKV.model(MODEL)
                        .pageTokens(16)
                        .shards(ShardOptions.equal(2, astray))
                        .open();
                Session session = engine.openSession()) {
            session.read(document(engine, 10));
            assertThatThrownBy(() -> session.read(document(engine, 20))).hasMessage("astray chose shard 7, of 2");
            assertThat(session.tokens()).hasSize(10);
            assertThat(session.retained(0, 0)).hasSize(10);
        }
    }

    @Test
    void aDrainedShardWhoseOthersAreFullGoesBackToTheEngine() throws IOException {
        try (Engine engine = PiKV.model(MODEL).pageTokens(16).shards(1, "hash").open();
                Session session = engine.openSession()) {
            session.read(document(engine, 100));
            long held = session.kvBytes();
            assertThat(engine.shards().getFirst().heldBytes()).isPositive();
            engine.drainShard(0);
            assertThat(engine.shards().getFirst().heldBytes()).isZero();
            assertThat(session.kvBytes()).isEqualTo(held);
            session.read(document(engine, 40)); // nowhere to go
            assertThat(engine.shards().getFirst().heldBytes()).isZero();
            assertThatThrownBy(() -> engine.drainShard(7)).isInstanceOf(InvalidOptionException.class);
        }
    }

    /** Pages stay with the engine where shards have no room; nothing is lost. */
    @Test
    void whatShardsHaveNoRoomForStays() throws IOException {
        List<ShardSpec> specs = List.of(new ShardSpec(1, 1), new ShardSpec(99, 1e-6));
        try (Engine engine = PiKV.model(MODEL)
                        .pageTokens(16)
                        .kvBudget(3L << 20)
                        .shards(new ShardOptions(specs, new FirstShard()).withOverlap(false))
                        .open();
                Session session = engine.openSession();
                Engine whole = PiKV.model(MODEL).pageTokens(16).open();
                Session other = whole.openSession()) {
            int[] ids = document(engine, 600);
            assertThat(GoldenLogitsTest.greedy(session, ids)).isEqualTo(GoldenLogitsTest.greedy(other, ids));
            assertThat(engine.shards().getFirst().heldBytes())
                    .isLessThanOrEqualTo(engine.shards().getFirst().capacityBytes());
            assertThat(engine.shards().getLast().heldBytes()).isPositive();
        }
    }

    /** All to the first. */
    private static final class FirstShard implements Placement {
        @Override
        public String name() {
            return "first";
        }

        @Override
        public int shard(NewPage page, ShardLoads shards) {
            return 0;
        }
    }

    /** Who has pages there hears of it, whoever has not goes on, and nothing is left behind. */
    @Test
    void aShardThatFailsEndsWhoNeedsIt() throws Exception {
        AtomicBoolean fails = new AtomicBoolean();
        try (Engine engine = PiKV.model(MODEL)
                        .pageTokens(16)
                        .backendProvider(new Failing(fails))
                        .backend("failing")
                        .shards(2, "round-robin")
                        .open();
                ExecutorService callers = Executors.newFixedThreadPool(2);
                Session spared = engine.openSession()) {
            int[] ids = document(engine, 200);
            try (Session hit = engine.openSession()) {
                hit.read(Arrays.copyOf(ids, 100));
                fails.set(true);
                Future<List<Integer>> ends = callers.submit(() -> GoldenLogitsTest.greedy(hit, new int[] {ids[100]}));
                assertThatThrownBy(ends::get)
                        .hasCauseInstanceOf(ShardFailedException.class)
                        .hasMessageContaining("of the KV cache has failed");
                assertThat(hit.tokens()).hasSize(100);
                spared.read(Arrays.copyOf(ids, 10)); // no page is full
                assertThat(spared.tokens()).hasSize(10);
            }
            assertThat(engine.shards()).allMatch(shard -> shard.heldBytes() == 0);
        }
    }

    /** Whose text cannot be read again, since it is on a shard that has failed, does not keep others from finding room. */
    @Test
    void aShardThatFailsEndsNobodyElseUnderOneBudget() throws IOException {
        AtomicBoolean fails = new AtomicBoolean();
        try (Engine engine = PiKV.model(MODEL)
                        .pageTokens(16)
                        .prefillChunk(64)
                        .kvAuto()
                        .kvBudget(200L * 2080)
                        .backendProvider(new Failing(fails))
                        .backend("failing")
                        .shards(2, "round-robin")
                        .open();
                Session hit = engine.openSession();
                Session spared = engine.openSession()) {
            int[] ids = document(engine, 400);
            hit.read(Arrays.copyOf(ids, 150));
            fails.set(true);
            assertThatThrownBy(() -> hit.read(new int[] {ids[150]})).isInstanceOf(ShardFailedException.class);
            for (int from = 0; from < 320; from += 16) {
                spared.read(Arrays.copyOfRange(ids, from, from + 16));
            }
            assertThat(spared.tokens()).hasSize(320);
            assertThat(engine.decisions().orElseThrow().bytes()).isPositive();
        }
    }

    /** A call that fails leaves an open page where a full one was: it comes back, so that a shard can be drained. */
    @Test
    void whatACallLeavesOpenComesBack() throws IOException {
        try (Engine engine = whole(MODEL).shards(2, "hash").open();
                Session session = engine.openSession()) {
            int[] ids = document(engine, 300);
            session.read(Arrays.copyOf(ids, 105));
            int[] rest = Arrays.copyOfRange(ids, 105, 300);
            assertThatThrownBy(() -> session.logits(rest, (span, index, logits, offset) -> {
                        if (index > 100) {
                            throw new IllegalStateException("enough");
                        }
                    }))
                    .hasMessage("enough");
            assertThat(session.tokens()).hasSize(105);
            assertThat(engine.drainShard(0).left()).isZero();
            assertThat(engine.shards().getFirst().pages()).isZero();
        }
    }

    /** Pages leave a shard that has failed as soon as loads are looked at, and who needed them goes on. */
    @Test
    void whatAFailedShardHeldIsMovedByItself() throws IOException {
        AtomicBoolean fails = new AtomicBoolean();
        List<ShardSpec> specs = List.of(ShardSpec.EQUAL, ShardSpec.EQUAL);
        try (Engine engine = whole(MODEL)
                        .backendProvider(new Failing(fails))
                        .backend("failing")
                        .shards(new ShardOptions(specs, new Lopsided()).withRebalance(new RebalanceRule(1e6, 1)))
                        .open();
                Engine whole = whole(MODEL).open();
                Session plain = whole.openSession();
                Session other = engine.openSession();
                Session hit = engine.openSession()) {
            int[] ids = document(engine, 110);
            plain.read(Arrays.copyOf(ids, 100));
            hit.read(Arrays.copyOf(ids, 100));
            long held = engine.shards().getFirst().heldBytes();
            assertThat(held).isPositive();
            fails.set(true);
            assertThatThrownBy(() -> hit.read(new int[] {ids[100]})).isInstanceOf(ShardFailedException.class);
            fails.set(false);
            other.read(Arrays.copyOf(ids, 1));
            assertThat(other.kvBytes()).isPositive(); // answered behind what follows the batch
            assertThat(engine.shards().getFirst().open()).isFalse();
            assertThat(engine.shards().getFirst().heldBytes()).isZero();
            assertThat(engine.shards().getLast().heldBytes()).isEqualTo(held);
            int[] rest = Arrays.copyOfRange(ids, 100, 110);
            assertThat(GoldenLogitsTest.greedy(hit, rest)).isEqualTo(GoldenLogitsTest.greedy(plain, rest));
        }
    }

    /** A backend whose offspring fails when it is told to. */
    private record Failing(AtomicBoolean fails) implements BackendProvider {
        @Override
        public String name() {
            return "failing";
        }

        @Override
        public int preference() {
            return 0;
        }

        @Override
        public BackendStatus probe() {
            return new BackendStatus.Available("");
        }

        @Override
        public Backend open(BackendOptions options) {
            return around(new Backends(List.of()).open("scalar", options), new AtomicBoolean());
        }

        private Backend around(Backend backend, AtomicBoolean broken) {
            return (Backend) Proxy.newProxyInstance(
                    Backend.class.getClassLoader(), new Class<?>[] {Backend.class}, (proxy, method, arguments) -> {
                        if (method.getName().equals("attend") && broken.get()) {
                            throw new IllegalStateException("out of order");
                        }
                        try {
                            Object result = method.invoke(backend, arguments);
                            return method.getName().equals("another") ? around((Backend) result, fails) : result;
                        } catch (InvocationTargetException e) {
                            throw e.getCause();
                        }
                    });
        }
    }

    @Test
    void whatContradictsShardsIsRefused() {
        assertThatThrownBy(() -> PiKV.model(MODEL).shards(0, "hash")).isInstanceOf(InvalidOptionException.class);
        assertThatThrownBy(() -> PiKV.model(MODEL).shards(2, "nowhere"))
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("expert, hash, round-robin");
        for (String policy : List.of("flexgen", "quest")) {
            assertThatThrownBy(() -> PiKV.model(MODEL)
                            .kvPolicy(policy)
                            .shards(ShardOptions.equal(2, new HashPlacement()))
                            .open())
                    .isInstanceOf(InvalidOptionException.class)
                    .hasMessageContaining(policy);
        }
    }
}
