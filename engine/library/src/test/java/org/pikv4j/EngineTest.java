package org.pikv4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pikv4j.cache.compression.Codec;
import org.pikv4j.cache.compression.HalfShape;
import org.pikv4j.cache.routing.Candidates;
import org.pikv4j.cache.routing.PageRouter;
import org.pikv4j.cache.scheduling.BudgetShare;
import org.pikv4j.cache.scheduling.EvictionPolicy;
import org.pikv4j.cache.scheduling.HeadTokens;
import org.pikv4j.cache.scheduling.PolicyChoice;
import org.pikv4j.error.BackendUnavailableException;
import org.pikv4j.error.ContextLengthException;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.error.KvBudgetExceededException;
import org.pikv4j.error.ModelFormatException;
import org.pikv4j.error.SessionStateException;
import org.pikv4j.session.Engine;
import org.pikv4j.session.FinishReason;
import org.pikv4j.session.GenerationListener;
import org.pikv4j.session.GenerationOptions;
import org.pikv4j.session.GenerationResult;
import org.pikv4j.session.Session;

/** Sessions over one engine: what they share, and what they must not. */
class EngineTest {
    private static final GenerationListener SILENT = piece -> {};

    private final Golden golden = Golden.of(Golden.fixture("mixtral"));
    private final GenerationOptions greedy = GoldenLogitsTest.greedyOptions();

    private PiKV.Builder builder() {
        return PiKV.model(golden.model()).backend("vector").kvDtype("f32").pageTokens(16);
    }

    private List<Integer> expected(int count) {
        return GoldenLogitsTest.asList(golden.greedyIds()).subList(0, count);
    }

    @ParameterizedTest
    @ValueSource(strings = {"scalar", "vector"})
    void sessionsInterleavedInRaggedBatchesDoNotSeeEachOther(String backend) throws Exception {
        try (Engine engine = builder().backend(backend).prefillChunk(29).open();
                ExecutorService callers = Executors.newFixedThreadPool(6)) {
            CountDownLatch start = new CountDownLatch(1);
            List<Future<?>> results = new ArrayList<>();
            for (int caller = 0; caller < 6; caller++) {
                int mine = caller;
                results.add(callers.submit(() -> {
                    start.await();
                    for (int round = 0; round < 3; round++) {
                        try (Session session = engine.openSession()) {
                            if (mine % 3 == 2) {
                                session.logits(
                                        golden.inputIds(),
                                        (span, index, logits, offset) -> assertThat(
                                                        golden.difference(index, logits, offset))
                                                .isLessThan(5e-3f));
                            } else {
                                assertThat(session.generate(golden.inputIds(), greedy, SILENT)
                                                .tokens())
                                        .isEqualTo(expected(24));
                            }
                        }
                    }
                    return null;
                }));
            }
            start.countDown();
            for (Future<?> result : results) {
                result.get();
            }
            assertThat(engine.usage().heldBytes()).isZero();
        }
    }

    /** Those that decode fill every batch, and more of them than there are rows. */
    @ParameterizedTest
    @ValueSource(ints = {1, 4, 33})
    void aPromptGetsOnBesideSessionsThatDecode(int chunk) throws Exception {
        int decoding = chunk + 1;
        try (Engine engine = builder().prefillChunk(chunk).open();
                ExecutorService callers = Executors.newFixedThreadPool(decoding)) {
            CountDownLatch begun = new CountDownLatch(decoding);
            List<Session> sessions = new ArrayList<>();
            List<Future<GenerationResult>> results = new ArrayList<>();
            for (int i = 0; i < decoding; i++) {
                Session session = engine.openSession();
                sessions.add(session);
                int[] prompt = Arrays.copyOf(golden.inputIds(), 2);
                GenerationOptions endless =
                        greedy.withMaxTokens(2_000).withEndTokens(Set.of()).withStopStrings(List.of());
                results.add(callers.submit(() -> session.generate(prompt, endless, whenRead(begun))));
            }
            assertThat(begun.await(1, TimeUnit.MINUTES)).isTrue();
            try (Session late = engine.openSession()) {
                late.read(golden.inputIds()); // would never return
                assertThat(late.tokens()).hasSize(golden.inputIds().length);
            }
            sessions.forEach(Session::cancel);
            for (Future<GenerationResult> result : results) {
                assertThat(result.get().finishReason()).isEqualTo(FinishReason.CANCELLED);
            }
            sessions.forEach(Session::close);
        }
    }

    /** Counts down once the prompt has been read. */
    private static GenerationListener whenRead(CountDownLatch latch) {
        return new GenerationListener() {
            @Override
            public void text(String piece) {}

            @Override
            public void prefill(int done, int total) {
                if (done == total) {
                    latch.countDown();
                }
            }
        };
    }

    @Test
    void aSessionGoesOnWhereItEnded() {
        try (Engine engine = builder().open();
                Session session = engine.openSession()) {
            int[] ids = golden.inputIds();
            GenerationResult first = session.generate(ids, greedy.withMaxTokens(5), SILENT);
            assertThat(first.tokens()).isEqualTo(expected(5));
            assertThat(first.finishReason()).isEqualTo(FinishReason.MAX_TOKENS);
            assertThat(first.stats().promptTokens()).isEqualTo(48);
            GenerationResult second = session.generate(new int[0], greedy.withMaxTokens(19), SILENT);
            assertThat(second.tokens()).isEqualTo(expected(24).subList(5, 24));
            assertThat(second.stats().promptTokens())
                    .as("only the last token was not read")
                    .isEqualTo(1);
            assertThat(session.tokens()).hasSize(48 + 24);
        }
    }

    @Test
    void regeneratingReadsOnlyWhatIsNew() {
        try (Engine engine = builder().open();
                Session session = engine.openSession()) {
            int[] ids = golden.inputIds();
            int[] other = ids.clone();
            other[40] = (other[40] + 1) % 900;
            session.generate(other, greedy.withMaxTokens(3), SILENT);
            GenerationResult result = session.regenerate(ids, greedy, SILENT);
            assertThat(result.tokens()).isEqualTo(expected(24));
            assertThat(result.stats().promptTokens()).isEqualTo(8);
            assertThat(session.regenerate(ids, greedy, SILENT).tokens()).isEqualTo(expected(24));
        }
    }

    @Test
    void anObserverSeesWhatAttentionWorksOn() {
        try (Engine engine = builder().prefillChunk(29).open();
                Session session = engine.openSession()) {
            int layers = engine.model().config().layers().size();
            int[] seen = new int[layers];
            double[] off = new double[1];
            session.observe(Optional.of(rows -> {
                assertThat(rows.position()).isEqualTo(seen[rows.layer()]);
                seen[rows.layer()] += rows.count();
                // The first token sees itself alone: its output is its value.
                if (rows.position() == 0) {
                    int headDim = rows.spec().headDim();
                    for (int head = 0; head < rows.spec().heads(); head++) {
                        for (int i = 0; i < headDim; i++) {
                            float value = rows.values()[head / rows.spec().group() * headDim + i];
                            off[0] = Math.max(off[0], Math.abs(rows.attended()[head * headDim + i] - value));
                        }
                    }
                }
            }));
            session.read(golden.inputIds());
            session.observe(Optional.empty());
            assertThat(seen).containsOnly(golden.inputIds().length);
            assertThat(off[0]).isLessThan(1e-5);
            assertThat(session.generate(new int[0], greedy, SILENT).tokens()).isEqualTo(expected(24));
        }
    }

    @Test
    void anObserverThatFailsHarmsItsOwnCallAlone() {
        try (Engine engine = builder().open();
                Session session = engine.openSession()) {
            session.read(Arrays.copyOf(golden.inputIds(), 20));
            int[] rest = Arrays.copyOfRange(golden.inputIds(), 20, 48);
            session.observe(Optional.of(rows -> {
                throw new IllegalStateException("seen enough");
            }));
            assertThatThrownBy(() -> session.read(rest))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("seen enough");
            session.observe(Optional.empty());
            assertThat(session.generate(rest, greedy, SILENT).tokens()).isEqualTo(expected(24));
        }
    }

    @Test
    void forksShareMemoryAndThenGoTheirOwnWays() {
        try (Engine engine = builder().open();
                Session session = engine.openSession()) {
            int[] ids = golden.inputIds();
            session.logits(Arrays.copyOf(ids, 40), (span, index, logits, offset) -> {});
            long held = engine.usage().heldBytes();
            try (Session fork = session.fork()) {
                assertThat(engine.usage().heldBytes()).isEqualTo(held);
                assertThat(fork.generate(new int[] {7, 8, 9}, greedy, SILENT).tokens())
                        .hasSize(24);
                assertThat(engine.usage().heldBytes()).isGreaterThan(held);
            }
            assertThat(engine.usage().heldBytes()).isEqualTo(held);
            int[] rest = Arrays.copyOfRange(ids, 40, 48);
            assertThat(session.generate(rest, greedy, SILENT).tokens()).isEqualTo(expected(24));
        }
    }

    @Test
    void cancellingKeepsWhatThereIs() {
        try (Engine engine = builder().open();
                Session session = engine.openSession()) {
            GenerationResult result =
                    session.generate(golden.inputIds(), greedy.withMaxTokens(1900), new GenerationListener() {
                        @Override
                        public void text(String piece) {}

                        @Override
                        public void prefill(int done, int total) {
                            if (done == total) {
                                session.cancel();
                            }
                        }
                    });
            assertThat(result.finishReason()).isEqualTo(FinishReason.CANCELLED);
            assertThat(result.tokens()).hasSizeLessThan(1900);
            int had = result.tokens().size();
            assertThat(session.tokens()).hasSize(48 + had);
            GenerationResult more = session.generate(new int[0], greedy.withMaxTokens(24 + had), SILENT);
            List<Integer> all = new ArrayList<>(result.tokens());
            all.addAll(more.tokens());
            assertThat(all.subList(0, 24)).isEqualTo(expected(24));
        }
    }

    @Test
    void aListenersExceptionEndsTheGenerationAndReachesTheCaller() {
        try (Engine engine = builder().open();
                Session session = engine.openSession()) {
            GenerationListener angry = new GenerationListener() {
                @Override
                public void text(String piece) {}

                @Override
                public void prefill(int done, int total) {
                    throw new IllegalStateException("enough");
                }
            };
            assertThatThrownBy(() -> session.generate(golden.inputIds(), greedy.withMaxTokens(1900), angry))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("enough");
            assertThat(session.generate(new int[] {5}, greedy, SILENT).tokens()).hasSize(24);
        }
    }

    @Test
    void aSinksExceptionFailsItsOwnRequestAlone() throws Exception {
        try (Engine engine = builder().open();
                Session good = engine.openSession();
                Session bad = engine.openSession();
                ExecutorService other = Executors.newSingleThreadExecutor()) {
            Future<GenerationResult> result =
                    other.submit(() -> good.generate(golden.inputIds(), greedy.withMaxTokens(300), SILENT));
            for (int i = 0; i < 5; i++) {
                assertThatThrownBy(() -> bad.logits(golden.inputIds(), (span, index, logits, offset) -> {
                            throw new IllegalStateException("no");
                        }))
                        .hasMessage("no");
                assertThat(bad.tokens()).isEmpty();
            }
            assertThat(result.get().tokens().subList(0, 24)).isEqualTo(expected(24));
        }
    }

    @Test
    void theBudgetHoldsAndWhatDoesNotFitLeavesTheSessionAsItWas() {
        // One page of every layer and head: 3 layers, 2 KV heads, 16 tokens of 2 · 16 floats.
        long page = 3 * 2 * 16 * 2 * 16 * 4;
        assertThatThrownBy(() -> builder().kvBudget(page - 1).open())
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("too small")
                .hasMessageContaining("12.0 KiB");
        try (Engine engine = builder().kvBudget(4 * page).prefillChunk(8).open();
                Session session = engine.openSession()) {
            assertThat(session.generate(golden.inputIds(), greedy.withMaxTokens(16), SILENT)
                            .tokens())
                    .isEqualTo(expected(16));
            assertThat(engine.usage().reservedBytes()).isLessThanOrEqualTo(4 * page);
            int[] before = session.tokens();
            assertThatThrownBy(() -> session.generate(new int[0], greedy, SILENT))
                    .isInstanceOf(KvBudgetExceededException.class)
                    .hasMessageContaining("budget");
            assertThat(session.tokens()).isEqualTo(before);
            assertThat(engine.usage().peakHeldBytes()).isEqualTo(4 * page);
            try (Session second = engine.openSession()) {
                assertThatThrownBy(() -> second.generate(golden.inputIds(), greedy, SILENT))
                        .isInstanceOf(KvBudgetExceededException.class);
                assertThat(second.tokens()).isEmpty();
            }
        }
    }

    @Test
    void moreThanTheModelsPositionsIsRefusedBeforeAnythingRuns() {
        try (Engine engine = builder().open();
                Session session = engine.openSession()) {
            int[] tooLong = new int[2049];
            assertThatThrownBy(() -> session.generate(tooLong, greedy, SILENT))
                    .isInstanceOf(ContextLengthException.class)
                    .hasMessageContaining("2049")
                    .hasMessageContaining("2048");
            int[] nearly = IntStream.range(0, 2045).map(i -> i % 900).toArray();
            GenerationResult result = session.generate(nearly, greedy, SILENT);
            assertThat(result.finishReason()).isEqualTo(FinishReason.CONTEXT_FULL);
            assertThat(result.tokens()).hasSize(3);
        }
    }

    @Test
    void misuseIsNamed() throws Exception {
        Engine engine = builder().open();
        Session session = engine.openSession();
        assertThatThrownBy(() -> session.generate(new int[0], greedy, SILENT))
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("empty");
        assertThatThrownBy(() -> session.generate(new int[] {925}, greedy, SILENT))
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("925");
        assertThatThrownBy(() -> session.generate("text", greedy))
                .isInstanceOf(ModelFormatException.class)
                .hasMessageContaining("tokenizer.json");
        List<Throwable> seen = new ArrayList<>();
        session.generate(golden.inputIds(), greedy, new GenerationListener() {
            @Override
            public void text(String piece) {}

            @Override
            public void prefill(int done, int total) {
                try {
                    session.tokens();
                } catch (SessionStateException e) {
                    seen.add(e);
                }
            }
        });
        assertThat(seen).isNotEmpty();
        Session open = engine.openSession();
        session.close();
        session.close();
        assertThatThrownBy(session::tokens).isInstanceOf(SessionStateException.class);
        engine.close();
        engine.close();
        assertThatThrownBy(() -> open.generate(golden.inputIds(), greedy, SILENT))
                .isInstanceOf(SessionStateException.class);
        assertThatThrownBy(engine::openSession).isInstanceOf(SessionStateException.class);
        open.close();
    }

    @Test
    void closingTheEngineEndsWhatIsUnderWay() throws Exception {
        Engine engine = builder().open();
        Session session = engine.openSession();
        try (ExecutorService caller = Executors.newSingleThreadExecutor()) {
            CountDownLatch running = new CountDownLatch(1);
            Future<?> result = caller.submit(() -> {
                assertThatThrownBy(() -> session.generate(
                                golden.inputIds(), greedy.withMaxTokens(2000), new GenerationListener() {
                                    @Override
                                    public void text(String piece) {}

                                    @Override
                                    public void prefill(int done, int total) {
                                        running.countDown();
                                    }
                                }))
                        .isInstanceOf(SessionStateException.class);
            });
            running.await();
            engine.close();
            result.get();
        }
        session.close();
    }

    @Test
    void unknownNamesListTheKnownOnes() {
        assertThatThrownBy(() -> builder().kvDtype("int3"))
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("int3")
                .hasMessageContaining("bf16");
        assertThatThrownBy(() -> builder().backend("cuda").open())
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("vector");
        assertThatThrownBy(() -> builder().backend("tornado").open())
                .isInstanceOf(BackendUnavailableException.class)
                .hasMessageContaining("TORNADOVM_HOME");
        assertThatThrownBy(() -> builder().kvPolicy("h3o")).isInstanceOf(InvalidOptionException.class);
        assertThatThrownBy(() -> builder().router("nowhere")).isInstanceOf(InvalidOptionException.class);
    }

    /** A page of 16 tokens, with positions, of each of the model's layers and KV heads. */
    private static final long EVICTABLE_PAGE = 3 * 2 * (16 * 2 * 16 * 4 + 16 * 4);

    /** Of the user's own. */
    private record Newest(String name, int tooMuch) implements EvictionPolicy {
        @Override
        public void score(HeadTokens tokens, float[] scores) {
            for (int i = 0; i < tokens.size(); i++) {
                scores[i] = tokens.positions()[i];
            }
        }

        @Override
        public int[] quotas(BudgetShare share) {
            int[] quotas = share.even();
            quotas[0] += tooMuch;
            return quotas;
        }
    }

    private static PolicyChoice newest(int tooMuch) {
        return new PolicyChoice(new Newest("careless", tooMuch));
    }

    @Test
    void aPolicyOfTheUsersOwnKeepsAGenerationInsideTheBudget() {
        for (PiKV.Builder builder :
                List.of(builder().kvBudget(4 * EVICTABLE_PAGE), builder().kvBudget("64tok"))) {
            try (Engine engine = builder.prefillChunk(8).kvPolicy(newest(0)).open();
                    Session session = engine.openSession()) {
                GenerationResult result = session.generate(golden.inputIds(), greedy.withMaxTokens(300), SILENT);
                assertThat(result.tokens()).hasSize(300);
                assertThat(result.tokens().subList(0, 16)).isEqualTo(expected(16));
                assertThat(engine.usage().peakHeldBytes()).isLessThanOrEqualTo(4 * EVICTABLE_PAGE);
            }
        }
    }

    @Test
    void aPolicyThatSharesOutTooMuchIsNamedAndEvictsNothing() {
        try (Engine engine = builder()
                        .kvBudget("64tok")
                        .prefillChunk(8)
                        .kvPolicy(newest(1))
                        .open();
                Session session = engine.openSession()) {
            session.read(golden.inputIds());
            long held = session.kvBytes();
            assertThatThrownBy(() -> session.generate(new int[0], greedy.withMaxTokens(300), SILENT))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("careless");
            assertThat(session.kvBytes()).isEqualTo(held);
            assertThat(session.generate(new int[0], greedy.withMaxTokens(8), SILENT)
                            .tokens())
                    .isEqualTo(expected(8));
        }
    }

    @Test
    void evictingWhatAForkSharesIsNoProgress() {
        try (Engine engine = builder()
                        .kvBudget(4 * EVICTABLE_PAGE)
                        .prefillChunk(8)
                        .kvPolicy(newest(0))
                        .open();
                Session session = engine.openSession()) {
            session.read(golden.inputIds());
            try (Session fork = session.fork()) {
                assertThatThrownBy(() -> fork.generate(new int[0], greedy.withMaxTokens(300), SILENT))
                        .isInstanceOf(KvBudgetExceededException.class);
            }
            assertThat(session.generate(new int[0], greedy.withMaxTokens(8), SILENT)
                            .tokens())
                    .isEqualTo(expected(8));
        }
    }

    @Test
    void readingNothingIsDoneAtOnce() {
        try (Engine engine = builder().open();
                Session session = engine.openSession()) {
            session.read(golden.inputIds());
            session.read(new int[0]);
            session.logits(new int[0], (span, index, logits, offset) -> {
                throw new AssertionError("there is nothing to hear of");
            });
            try (Session fork = session.fork()) {
                fork.read(new int[0]);
                assertThat(fork.generate(new int[0], greedy, SILENT).tokens()).isEqualTo(expected(24));
            }
        }
    }

    @Test
    void whatAForkCannotReadTakesNothing() {
        long page = 3 * 2 * 16 * 2 * 16 * 4;
        try (Engine engine = builder().kvBudget(4 * page).prefillChunk(64).open();
                Session session = engine.openSession()) {
            int[] ids = golden.inputIds();
            session.read(Arrays.copyOf(ids, 40)); // the third page is half full, and shared
            try (Session fork = session.fork()) {
                long held = engine.usage().heldBytes();
                assertThatThrownBy(() -> fork.read(new int[40])).isInstanceOf(KvBudgetExceededException.class);
                assertThat(engine.usage().heldBytes()).isEqualTo(held);
                assertThat(fork.tokens()).hasSize(40);
            }
        }
    }

    @Test
    void aReadingThatIsCancelledLeavesTheSessionAsItWas() {
        try (Engine engine = builder().prefillChunk(8).open();
                Session session = engine.openSession()) {
            int[] ids = golden.inputIds();
            session.read(Arrays.copyOf(ids, 20));
            long held = session.kvBytes();
            int[] rest = Arrays.copyOfRange(ids, 20, ids.length);
            assertThatThrownBy(() -> session.logits(rest, (span, index, logits, offset) -> session.cancel()))
                    .isInstanceOf(CancellationException.class);
            assertThat(session.tokens()).hasSize(20);
            assertThat(session.kvBytes()).isEqualTo(held);

            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> session.read(rest)).isInstanceOf(CancellationException.class);
            assertThat(Thread.interrupted()).isTrue();
            assertThat(session.tokens()).hasSize(20);

            assertThat(session.generate(rest, greedy, SILENT).tokens()).isEqualTo(expected(24));
        }
    }

    /** Reads only the pages with the newest tokens. */
    private record Window(int pages) implements PageRouter {
        @Override
        public String name() {
            return "window";
        }

        @Override
        public int[] read(Candidates candidates) {
            return IntStream.range(Math.max(0, candidates.count() - pages), candidates.count())
                    .toArray();
        }
    }

    @Test
    void aRouterOfTheUsersOwnDecidesWhatIsRead() {
        try (Engine all = builder().router(new Window(1000)).open();
                Engine few = builder().router(new Window(1)).open();
                Session everything = all.openSession();
                Session newest = few.openSession()) {
            assertThat(everything.generate(golden.inputIds(), greedy, SILENT).tokens())
                    .isEqualTo(expected(24));
            assertThat(newest.generate(golden.inputIds(), greedy, SILENT).tokens())
                    .isNotEqualTo(expected(24));
        }
    }

    @Test
    void questReadsAllOrLessAndNotByHowThePromptIsCut() {
        int[] ids = golden.inputIds();
        int[] first = Arrays.copyOf(ids, 20);
        int[] second = Arrays.copyOfRange(ids, 20, ids.length);
        List<List<Integer>> answers = new ArrayList<>();
        for (String policy : List.of("quest:read=1", "quest:read=0,sinks=0,window=0,dense-layers=0")) {
            for (int chunk : new int[] {1, 7, 64}) {
                for (int page : new int[] {16, 64}) {
                    try (Engine engine = builder()
                                    .kvPolicy(policy)
                                    .prefillChunk(chunk)
                                    .pageTokens(page)
                                    .open();
                            Session session = engine.openSession()) {
                        session.read(first);
                        answers.add(session.generate(second, greedy, SILENT).tokens());
                    }
                }
            }
        }
        assertThat(answers.subList(0, 6)).containsOnly(expected(24));
        assertThat(answers.get(6)).isNotEqualTo(expected(24));
        assertThat(answers.subList(6, 12)).containsOnly(answers.get(6));
    }

    @Test
    void aPolicyThatEvictsNothingHoldsNoBudgetAndCutsNothing() {
        assertThatThrownBy(() -> builder().kvPolicy("quest").kvBudget("96tok").open())
                .isInstanceOf(InvalidOptionException.class)
                .hasMessage("kv-policy quest evicts nothing: a budget of 96tok cannot be held");
        assertThatThrownBy(
                        () -> builder().kvPolicy("quest").router(new Window(1)).open())
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("both choose");
        assertThatThrownBy(() -> builder().kvPolicy("duo").open())
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("calibrate");
        assertThatThrownBy(() -> builder().kvPolicy("adakv(quest)"))
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("cannot wrap quest");
        try (Engine engine = builder().kvPolicy("quest").open();
                Session session = engine.openSession()) {
            session.read(golden.inputIds());
            assertThatThrownBy(() -> session.cut(40))
                    .isInstanceOf(InvalidOptionException.class)
                    .hasMessage("kv-policy quest evicts nothing");
        }
    }

    /** Half the bytes of bf16 in disguise: no backend knows its class. */
    private record OwnCodec(AtomicInteger decoded) implements Codec {
        @Override
        public String name() {
            return "own";
        }

        @Override
        public int bytes(HalfShape shape) {
            return shape.elements();
        }

        /** Bytes of 1/16: enough for this model's keys and values, which are small. */
        @Override
        public void encode(HalfShape shape, float[] in, MemorySegment out) {
            for (int i = 0; i < shape.elements(); i++) {
                out.set(ValueLayout.JAVA_BYTE, i, (byte) Math.clamp(Math.round(in[i] * 16), -127, 127));
            }
        }

        @Override
        public void decode(HalfShape shape, MemorySegment in, float[] out) {
            decoded.incrementAndGet();
            for (int i = 0; i < shape.elements(); i++) {
                out[i] = in.get(ValueLayout.JAVA_BYTE, i) / 16f;
            }
        }
    }

    @Test
    void aCodecOfTheUsersOwnIsAttendedTo() throws Exception {
        AtomicInteger decoded = new AtomicInteger();
        float[] expected = logits(builder(), longPrompt(), 1);
        float[] actual =
                logits(builder().kvDtype(new OwnCodec(decoded)).kvResidual(0).kvSinks(0), longPrompt(), 1);
        assertThat(decoded.get()).isPositive();
        assertThat(actual).isNotEqualTo(expected);
        double difference = 0;
        double norm = 0;
        for (int i = 0; i < expected.length; i++) {
            difference += Math.pow(actual[i] - expected[i], 2);
            norm += Math.pow(expected[i], 2);
        }
        assertThat(Math.sqrt(difference / norm)).isLessThan(0.2);
    }

    /** Longer than the distance between positions at which pages change form. */
    private int[] longPrompt() {
        return IntStream.range(0, 300)
                .map(i -> golden.inputIds()[i % golden.inputIds().length])
                .toArray();
    }

    @Test
    void aCodecThatFailsLeavesPagesExact() {
        Codec failing = new Nothing(() -> {
            throw new IllegalStateException("it fails");
        });
        try (Engine exact = builder().kvDtype("bf16").open();
                Engine engine =
                        builder().kvDtype(failing).kvResidual(0).kvSinks(0).open();
                Session one = exact.openSession();
                Session other = engine.openSession()) {
            one.read(longPrompt());
            other.read(longPrompt());
            assertThat(other.generate(golden.inputIds(), greedy, SILENT).tokens())
                    .isEqualTo(one.generate(golden.inputIds(), greedy, SILENT).tokens());
            assertThat(engine.usage().refusedPages()).isPositive();
            assertThat(engine.usage().encodedPages()).isZero();
        }
    }

    /**
     * Keeps nothing at all: whoever sees a page in another form than others notices.
     *
     * @param encoding what it does when it should
     */
    private record Nothing(Runnable encoding) implements Codec {
        @Override
        public String name() {
            return "nothing";
        }

        @Override
        public int bytes(HalfShape shape) {
            return 1;
        }

        @Override
        public void encode(HalfShape shape, float[] in, MemorySegment out) {
            encoding.run();
        }

        @Override
        public void decode(HalfShape shape, MemorySegment in, float[] out) {
            Arrays.fill(out, 0, shape.elements(), 0f);
        }
    }

    /** What another cut of the batches changes: open pages are bf16, and a last bit moves these models' logits. */
    private static final float ROUNDING = 0.03f;

    private float[] logits(PiKV.Builder builder, int[] ids, int sessions) throws Exception {
        try (Engine engine = builder.open();
                ExecutorService callers = Executors.newFixedThreadPool(sessions)) {
            int vocabulary = engine.model().config().vocabulary();
            List<Future<float[]>> results = new ArrayList<>();
            for (int i = 0; i < sessions; i++) {
                results.add(callers.submit(() -> {
                    float[] all = new float[ids.length * vocabulary];
                    try (Session session = engine.openSession()) {
                        session.logits(
                                ids,
                                (span, index, logits, offset) ->
                                        System.arraycopy(logits, offset, all, index * vocabulary, vocabulary));
                    }
                    return all;
                }));
            }
            for (Future<float[]> result : results) {
                float[] one = results.getFirst().get();
                assertThat(difference(one, result.get(), 0, one.length)).isLessThan(ROUNDING);
            }
            return results.getFirst().get();
        }
    }

    @Test
    void aPagesFormDependsOnThePositionAlone() throws Exception {
        int[] ids = new int[330];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = 3 + 7 * i % 900;
        }
        Codec nothing = new Nothing(() -> {});
        float[] whole = logits(builder().kvDtype(nothing).kvResidual(40), ids, 1);
        for (int chunk : new int[] {1, 7, 64, 100}) {
            float[] other = logits(builder().kvDtype(nothing).kvResidual(40).prefillChunk(chunk), ids, 1);
            assertThat(difference(whole, other, 0, whole.length)).isLessThan(ROUNDING);
        }
        float[] many = logits(builder().kvDtype(nothing).kvResidual(40).prefillChunk(50), ids, 3);
        assertThat(difference(whole, many, 0, whole.length)).isLessThan(ROUNDING);
        float[] exact = logits(builder().kvDtype("bf16"), ids, 1);
        int change = 256 * exact.length / ids.length; // position 256 is the first at which forms change
        assertThat(difference(whole, exact, 0, change)).isLessThan(ROUNDING);
        assertThat(difference(whole, exact, change, whole.length)).isGreaterThan(20 * ROUNDING);
    }

    private static float difference(float[] a, float[] b, int from, int to) {
        float most = 0f;
        for (int i = from; i < to; i++) {
            most = Math.max(most, Math.abs(a[i] - b[i]));
        }
        return most;
    }

    @Test
    void closingASessionDoesNotWaitForItsPagesToBeSealed() {
        CompletableFuture<Boolean> mayEncode = new CompletableFuture<>();
        try (Engine engine =
                builder().kvDtype(new Nothing(mayEncode::join)).kvResidual(100).open()) {
            Session session = engine.openSession();
            session.read(golden.inputIds());
            long held = engine.usage().heldBytes();
            session.close();
            // What the encoder has come to stays with it, the rest is given back at once.
            assertThat(engine.usage().heldBytes()).isLessThan(held);
            mayEncode.complete(true);
        } // and the engine finds its pool empty when it closes
    }

    @Test
    void anInterruptedThreadClosesTheEngineAllTheSame() {
        CompletableFuture<Boolean> mayEncode = new CompletableFuture<>();
        Engine engine =
                builder().kvDtype(new Nothing(mayEncode::join)).kvResidual(100).open();
        engine.openSession().read(golden.inputIds());
        Thread.currentThread().interrupt();
        try {
            Thread.ofVirtual().start(() -> mayEncode.complete(true));
            engine.close();
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    @Test
    void halfTheBytesInBf16() {
        try (Engine f32 = builder().open();
                Engine bf16 = builder().kvDtype("bf16").open();
                Session one = f32.openSession();
                Session two = bf16.openSession()) {
            one.generate(golden.inputIds(), greedy.withMaxTokens(1), SILENT);
            GenerationResult result = two.generate(golden.inputIds(), greedy.withMaxTokens(1), SILENT);
            assertThat(2 * bf16.usage().heldBytes()).isEqualTo(f32.usage().heldBytes());
            assertThat(result.stats().kvBytes()).isEqualTo(bf16.usage().heldBytes());
            // 48 tokens fill three pages exactly.
            assertThat(result.stats().kvBytesPerToken())
                    .isEqualTo((double) bf16.model().config().kvBytesPerToken(2));
        }
    }
}
