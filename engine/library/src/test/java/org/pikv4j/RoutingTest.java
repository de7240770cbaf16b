package org.pikv4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pikv4j.cache.routing.RouteChoice;
import org.pikv4j.cache.routing.RoutingUsage;
import org.pikv4j.cache.routing.ShardRouter;
import org.pikv4j.cache.routing.ShardSignals;
import org.pikv4j.decode.AttentionObserver;
import org.pikv4j.decode.AttentionRows;
import org.pikv4j.decode.GateRows;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.session.Engine;
import org.pikv4j.session.Session;
import org.pikv4j.shard.ShardSpec;

/** Queries that read some of the cache read what they chose, and nothing else is different. */
class RoutingTest {
    private static final Path MODEL = Path.of("../cli/src/main/resources/org/pikv4j/cli/demo");
    private static final int PAGE = 16;
    private static final int SINKS = 4;
    private static final int WINDOW = 32;
    private static final int PROMPT = 500;
    private static final int STEPS = 40;

    private static PiKV.Builder builder() {
        return PiKV.model(MODEL).kvDtype("f32").pageTokens(PAGE).prefillChunk(64);
    }

    private static int[] document(int tokens) throws IOException {
        try (Engine engine = builder().open()) {
            String text = Files.readString(Path.of("../app/demo/document.txt"));
            return Arrays.copyOf(engine.model().tokenizer().encode(text, true), tokens);
        }
    }

    /** The logits of the last tokens, each a step of its own. */
    private static float[][] steps(Session session, int[] ids, int prompt, int vocabulary) {
        session.read(Arrays.copyOf(ids, prompt));
        float[][] rows = new float[ids.length - prompt][];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = next(session, ids[prompt + i], vocabulary);
        }
        return rows;
    }

    private static float[] next(Session session, int id, int vocabulary) {
        float[][] row = new float[1][];
        session.logits(
                new int[] {id},
                (span, index, logits, offset) -> row[0] = Arrays.copyOfRange(logits, offset, offset + vocabulary));
        return row[0];
    }

    private static float[][] steps(PiKV.Builder builder, int[] ids) {
        try (Engine engine = builder.open();
                Session session = engine.openSession()) {
            return steps(session, ids, PROMPT, engine.model().config().vocabulary());
        }
    }

    private static Stream<Path> sparseFixtures() {
        return Golden.fixtures().stream()
                .filter(path -> !path.getFileName().toString().equals("llama"));
    }

    @ParameterizedTest
    @MethodSource("sparseFixtures")
    void exactIsExact(Path fixture) {
        Golden golden = Golden.of(fixture);
        try (Engine engine = PiKV.model(golden.model())
                        .kvDtype("f32")
                        .pageTokens(PAGE)
                        .prefillChunk(7)
                        .route("exact:prompt=1,sinks=0,window=0")
                        .open();
                Session session = engine.openSession()) {
            session.logits(
                    golden.inputIds(),
                    (span, index, logits, offset) ->
                            assertThat(golden.difference(index, logits, offset)).isLessThan(5e-3f));
            RoutingUsage usage = engine.routing().orElseThrow();
            assertThat(usage.queries()).isPositive();
            assertThat(usage.tokensRead()).isEqualTo(usage.tokens());
        }
    }

    /** What a session reads and what its gates choose, layer by layer, to compute everything again. */
    private static final class Witness implements AttentionObserver {
        final Map<Integer, List<float[]>> keys = new TreeMap<>(); // (layer)(position): (kvHeads, headDim)
        final Map<Integer, List<float[]>> values = new TreeMap<>();
        final Map<Integer, List<Integer>> experts = new TreeMap<>(); // (layer)(position)
        final int k;
        int checked;
        int leftOut;

        Witness(int k) {
            this.k = k;
        }

        @Override
        public void observe(GateRows rows) {
            List<Integer> chosen = experts.computeIfAbsent(rows.layer(), layer -> new ArrayList<>());
            for (int r = 0; r < rows.count(); r++) {
                int at = (rows.first() + r) * rows.experts();
                int best = 0;
                for (int e = 1; e < rows.experts(); e++) {
                    best = rows.probabilities()[at + e] > rows.probabilities()[at + best] ? e : best;
                }
                chosen.add(best);
            }
        }

        @Override
        public void observe(AttentionRows rows) {
            int width = rows.spec().kvWidth();
            for (int r = rows.first(); r < rows.first() + rows.count(); r++) {
                keys.computeIfAbsent(rows.layer(), layer -> new ArrayList<>())
                        .add(Arrays.copyOfRange(rows.keys(), r * width, (r + 1) * width));
                values.computeIfAbsent(rows.layer(), layer -> new ArrayList<>())
                        .add(Arrays.copyOfRange(rows.values(), r * width, (r + 1) * width));
            }
            if (rows.position() >= PROMPT) {
                assertThat(rows.count()).isEqualTo(1);
                for (int head = 0; head < rows.spec().kvHeads(); head++) {
                    int[] read = rows.read().positions(0, head);
                    checkChoice(rows.layer(), rows.position(), read);
                    checkAttention(rows, head, read);
                }
            }
        }

        /** Whole pages, those of at most k experts, and what is always read. */
        private void checkChoice(int layer, int position, int[] read) {
            Set<Integer> positions = new HashSet<>(Arrays.stream(read).boxed().toList());
            Set<Integer> chosen = new HashSet<>();
            Set<Integer> others = new HashSet<>();
            for (int page = 0; page <= position; page += PAGE) {
                boolean inside = positions.contains(page);
                int last = Math.min(page + PAGE - 1, position);
                for (int t = page; t <= last; t++) {
                    assertThat(positions.contains(t)).isEqualTo(inside);
                }
                boolean always = page < SINKS || last >= position + 1 - WINDOW || page + PAGE > position;
                if (always) {
                    assertThat(inside).isTrue();
                } else {
                    (inside ? chosen : others).add(expert(layer, page));
                }
            }
            assertThat(chosen).hasSizeLessThanOrEqualTo(k).doesNotContainAnyElementsOf(others);
            leftOut += others.isEmpty() ? 0 : 1;
        }

        private int expert(int layer, int page) {
            int[] votes = new int[8];
            for (int t = page; t < page + PAGE; t++) {
                votes[experts.get(layer).get(t)]++;
            }
            return IntStream.range(0, 8).reduce(0, (a, b) -> votes[b] > votes[a] ? b : a);
        }

        /** The true softmax over what is read. */
        private void checkAttention(AttentionRows rows, int kvHead, int[] read) {
            AttentionSpec spec = rows.spec();
            int d = spec.headDim();
            for (int g = 0; g < spec.group(); g++) {
                int query = rows.first() * spec.queryWidth() + (kvHead * spec.group() + g) * d;
                double[] scores = new double[read.length];
                for (int i = 0; i < read.length; i++) {
                    float[] key = keys.get(rows.layer()).get(read[i]);
                    for (int x = 0; x < d; x++) {
                        scores[i] += (double) rows.queries()[query + x] * key[kvHead * d + x] * spec.scale();
                    }
                }
                double max = Arrays.stream(scores).max().orElseThrow();
                double sum = Arrays.stream(scores)
                        .map(score -> Math.exp(score - max))
                        .sum();
                for (int x = 0; x < d; x++) {
                    double out = 0;
                    for (int i = 0; i < read.length; i++) {
                        out += Math.exp(scores[i] - max)
                                / sum
                                * values.get(rows.layer()).get(read[i])[kvHead * d + x];
                    }
                    assertThat((double) rows.attended()[query + x]).isCloseTo(out, within(1e-4));
                }
                checked++;
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "hash:k=1",
                "topk:k=2",
                "topk-balanced:k=2",
                "cache-aware:k=3",
                "eplb:k=2",
                "adaptive:k=2",
                "hierarchical:k=2",
                "query-centroid:k=2"
            })
    void readsTheShardsThatItChoseAndNoOthers(String route) throws IOException {
        int k = Integer.parseInt(route.substring(route.length() - 1));
        Witness witness = new Witness(k);
        int[] ids = document(PROMPT + STEPS);
        try (Engine engine = builder().route(route).open();
                Session session = engine.openSession()) {
            session.observe(Optional.of(witness));
            steps(session, ids, PROMPT, engine.model().config().vocabulary());
            RoutingUsage usage = engine.routing().orElseThrow();
            assertThat(usage.queries()).isEqualTo(STEPS * 4L * 2);
            assertThat(usage.bytesRead()).isLessThan(usage.bytes() * 9 / 10);
            assertThat(usage.reads().stream()
                            .flatMap(List::stream)
                            .mapToLong(Long::longValue)
                            .sum())
                    .isLessThanOrEqualTo(usage.queries() * k)
                    .isGreaterThan(usage.queries() * k * 9 / 10);
        }
        assertThat(witness.checked).isEqualTo(STEPS * 4 * 4);
        assertThat(witness.leftOut).isGreaterThan(STEPS * 4 * 2 / 2);
    }

    /** Where pages live is no matter of what is read of them; fewer shards are asked. */
    @ParameterizedTest
    @CsvSource({"query-centroid:k=2, expert", "cache-aware:k=2, hash", "adaptive:k=2, round-robin"})
    void shardsMakeNoDifference(String route, String placement) throws IOException {
        int[] ids = document(PROMPT + STEPS);
        float[][] expected = steps(builder().route(route), ids);
        for (int shards : new int[] {1, 2, 3, 8}) {
            try (Engine engine =
                            builder().route(route).shards(shards, placement).open();
                    Session session = engine.openSession()) {
                int vocabulary = engine.model().config().vocabulary();
                session.read(Arrays.copyOf(ids, PROMPT));
                for (int i = 0; i < STEPS; i++) {
                    if (i == STEPS / 2) {
                        // None, those of two experts, of the sinks, and of the window, which lies on three pages.
                        assertThat(engine.routing().orElseThrow().places().size())
                                .isLessThanOrEqualTo(placement.equals("expert") ? 1 + 2 + 1 + 3 : 1 + shards);
                        engine.drainShard(0);
                        engine.addShard(ShardSpec.EQUAL);
                        engine.rebalance();
                    }
                    assertThat(next(session, ids[PROMPT + i], vocabulary)).containsExactly(expected[i], within(1e-4f));
                }
                RoutingUsage usage = engine.routing().orElseThrow();
                assertThat(usage.places().stream().mapToLong(Long::longValue).sum())
                        .isEqualTo(usage.queries());
            }
        }
    }

    /** The prompt reads everything, unless it is asked not to. */
    @Test
    void promptsAreReadExactly() throws IOException {
        int[] ids = document(300);
        float[][] exact = logits(builder(), ids);
        assertThat(logits(builder().route("query-centroid:k=1"), ids)).isDeepEqualTo(exact);
        assertThat(logits(builder().route("query-centroid:k=1,prompt=1"), ids)[299])
                .isNotEqualTo(exact[299]);
    }

    private static float[][] logits(PiKV.Builder builder, int[] ids) {
        float[][] rows = new float[ids.length][];
        try (Engine engine = builder.open();
                Session session = engine.openSession()) {
            int vocabulary = engine.model().config().vocabulary();
            session.logits(
                    ids,
                    (span, index, logits, offset) ->
                            rows[index] = Arrays.copyOfRange(logits, offset, offset + vocabulary));
        }
        return rows;
    }

    /** Writes down what it was told, and chooses as another. */
    private static final class Recorder implements ShardRouter {
        final ShardRouter other;
        final List<ShardSignals> signals = new ArrayList<>();
        final List<List<Integer>> choices = new ArrayList<>();

        Recorder(ShardRouter other) {
            this.other = other;
        }

        @Override
        public String name() {
            return "recorder";
        }

        @Override
        public Set<Need> needs() {
            return other.needs();
        }

        @Override
        public int numbers(int shards) {
            return other.numbers(shards);
        }

        @Override
        public void score(ShardSignals of, double[] kept, double[] scores) {
            other.score(of, kept, scores);
        }

        @Override
        public void sent(ShardSignals of, double[] kept, int[] chosen) {
            other.sent(of, kept, chosen);
        }

        @Override
        public void learn(ShardSignals of, double[] kept, int[] read, double[] mass) {
            other.learn(of, kept, read, mass);
        }

        @Override
        public boolean choosesAll() {
            return other.choosesAll();
        }

        @Override
        public int[] choose(ShardSignals of, double[] kept, int k) {
            int[] chosen = other.choose(of, kept, k);
            signals.add(of);
            choices.add(Arrays.stream(chosen).boxed().toList());
            return chosen;
        }
    }

    private static Recorder recorded(PiKV.Builder builder, String route, int[] ids) {
        RouteChoice choice = RouteChoice.parse(route);
        Recorder recorder = new Recorder(choice.router());
        steps(builder.route(choice.with(recorder)), ids);
        return recorder;
    }

    /** PiKV's coupling: the router knows what was evicted. */
    @Test
    void evictionChangesTheChoice() throws IOException {
        int[] ids = document(PROMPT + STEPS);
        Recorder whole = recorded(builder(), "cache-aware:lambda=0", ids);
        Recorder blind = recorded(builder().kvPolicy("h2o").kvBudget("256tok"), "cache-aware:lambda=0", ids);
        Recorder knows = recorded(builder().kvPolicy("h2o").kvBudget("256tok"), "cache-aware:lambda=100000", ids);
        assertThat(whole.signals).allMatch(signals -> sum(signals, signals::miss) == 0);
        assertThat(knows.signals)
                .allMatch(signals -> sum(signals, signals::miss) > 0 && sum(signals, signals::miss) < 1);
        assertThat(whole.signals).allMatch(signals -> sum(signals, signals::mass) > 0);
        // Both see the same at the first query, and choose differently.
        for (int e = 0; e < 8; e++) {
            assertThat(knows.signals.getFirst().miss(e))
                    .isEqualTo(blind.signals.getFirst().miss(e));
        }
        assertThat(knows.choices).isNotEqualTo(blind.choices);
        ShardSignals first = knows.signals.getFirst();
        int chosen = knows.choices.getFirst().getFirst();
        assertThat(IntStream.range(0, 8)
                        .filter(first::holds)
                        .mapToDouble(first::miss)
                        .max()
                        .orElseThrow())
                .isGreaterThan(first.miss(chosen));
    }

    /** And it knows what compression lost. */
    @Test
    void compressionChangesTheChoice() throws IOException {
        int[] ids = document(PROMPT + STEPS);
        PiKV.Builder int4 = builder().kvDtype("int4").kvResidual(32);
        PiKV.Builder again = builder().kvDtype("int4").kvResidual(32);
        Recorder blind = recorded(int4, "cache-aware:mu=0", ids);
        Recorder knows = recorded(again, "cache-aware:mu=1000", ids);
        Recorder exact = recorded(builder(), "cache-aware:mu=1000", ids);
        assertThat(exact.signals).allMatch(signals -> sum(signals, signals::error) == 0);
        assertThat(knows.signals).allMatch(signals -> sum(signals, signals::error) > 0.01);
        assertThat(knows.choices).isNotEqualTo(blind.choices);
        ShardSignals first = knows.signals.getFirst();
        double best = IntStream.range(0, 8)
                .filter(first::holds)
                .mapToDouble(first::error)
                .min()
                .orElseThrow();
        assertThat(knows.choices.getFirst())
                .contains(IntStream.range(0, 8)
                        .filter(e -> first.holds(e) && first.error(e) == best)
                        .findFirst()
                        .orElseThrow());
    }

    private static double sum(ShardSignals signals, IntToDoubleFunction of) {
        return IntStream.range(0, signals.shards()).mapToDouble(of).sum();
    }

    /** What one sequence reads does not depend on another; a fork goes on as its origin would. */
    @ParameterizedTest
    @ValueSource(strings = {"adaptive:k=2", "eplb:k=2", "cache-aware:k=2"})
    void sequencesKeepToThemselves(String route) throws IOException {
        int[] ids = document(PROMPT + STEPS);
        float[][] alone = steps(builder().route(route), ids);
        try (Engine engine = builder().route(route).open();
                Session session = engine.openSession();
                Session other = engine.openSession()) {
            int vocabulary = engine.model().config().vocabulary();
            other.read(Arrays.copyOf(ids, 300));
            session.read(Arrays.copyOf(ids, PROMPT));
            for (int i = 0; i < STEPS; i++) {
                if (i == STEPS / 2) {
                    try (Session fork = session.fork()) {
                        for (int j = i; j < STEPS; j++) {
                            assertThat(next(fork, ids[PROMPT + j], vocabulary))
                                    .containsExactly(alone[j], within(1e-4f));
                        }
                    }
                }
                next(other, ids[300 + i], vocabulary);
                assertThat(next(session, ids[PROMPT + i], vocabulary)).containsExactly(alone[i], within(1e-4f));
            }
        }
    }

    /** A page that is written a second time is known for what it holds then. */
    @ParameterizedTest
    @ValueSource(strings = {"query-centroid:k=1", "query-centroid:k=1,by=page", "topk:k=2"})
    void whatIsTakenBackIsForgotten(String route) throws IOException {
        int[] ids = document(PROMPT + STEPS);
        int[] other = ids.clone();
        Arrays.fill(other, PROMPT - 60, PROMPT, ids[PROMPT - 61]);
        int prompt = PROMPT - 70;
        List<float[]> found = new ArrayList<>();
        try (Engine engine = builder().route(route).open()) {
            int vocabulary = engine.model().config().vocabulary();
            for (boolean before : new boolean[] {false, true}) {
                try (Session session = engine.openSession()) {
                    session.read(Arrays.copyOf(ids, prompt));
                    if (before) {
                        session.read(Arrays.copyOfRange(other, prompt, PROMPT));
                        session.regenerate(
                                Arrays.copyOf(ids, PROMPT),
                                GoldenLogitsTest.greedyOptions().withMaxTokens(1),
                                piece -> {});
                    } else {
                        session.generate(
                                Arrays.copyOfRange(ids, prompt, PROMPT),
                                GoldenLogitsTest.greedyOptions().withMaxTokens(1),
                                piece -> {});
                    }
                    for (int i = 0; i < STEPS; i++) {
                        found.add(next(session, ids[PROMPT + i], vocabulary));
                    }
                }
            }
        }
        for (int i = 0; i < STEPS; i++) {
            assertThat(found.get(STEPS + i)).containsExactly(found.get(i), within(1e-4f));
        }
    }

    /** What is read does not depend on how rows are batched, so that other sessions make no difference. */
    @ParameterizedTest
    @ValueSource(
            strings = {"cache-aware:k=2", "adaptive:k=2", "query-centroid:k=1,prompt=1", "topk:k=1", "eplb:k=2,prompt=1"
            })
    void piecesOfAPromptMakeNoDifference(String route) throws IOException {
        int[] ids = document(PROMPT + STEPS);
        List<Recorder> recorders = new ArrayList<>();
        for (int chunk : new int[] {64, 256}) {
            recorders.add(recorded(builder().prefillChunk(chunk), route, ids));
        }
        assertThat(recorders.getLast().choices).isEqualTo(recorders.getFirst().choices);
    }

    /** A call that fails has taught nothing. */
    @ParameterizedTest
    @ValueSource(strings = {"eplb:k=2", "topk-balanced:k=2", "cache-aware:k=2", "adaptive:k=2"})
    void failedCallsTeachNothing(String route) throws IOException {
        int[] ids = document(PROMPT + STEPS);
        Recorder smooth = recorded(builder(), route, ids);
        RouteChoice choice = RouteChoice.parse(route);
        Recorder rough = new Recorder(choice.router());
        List<List<Integer>> choices = new ArrayList<>();
        try (Engine engine = builder().route(choice.with(rough)).open();
                Session session = engine.openSession()) {
            int vocabulary = engine.model().config().vocabulary();
            session.read(Arrays.copyOf(ids, PROMPT));
            for (int i = 0; i < STEPS; i++) {
                int id = ids[PROMPT + i];
                session.observe(Optional.of(rows -> {
                    if (rows.layer() == 2) {
                        throw new IllegalStateException("on purpose");
                    }
                }));
                assertThatThrownBy(() -> next(session, id, vocabulary)).hasMessageContaining("on purpose");
                session.observe(Optional.empty());
                rough.choices.clear();
                next(session, id, vocabulary);
                choices.addAll(rough.choices);
            }
        }
        assertThat(choices).isEqualTo(smooth.choices);
    }

    /** Another prompt in place of the first is read exactly, too. */
    @Test
    void anotherPromptIsReadExactly() throws IOException {
        int[] ids = document(400);
        int[] other = ids.clone();
        Arrays.fill(other, 20, 60, ids[10]);
        try (Engine engine = builder().route("query-centroid:k=1").open();
                Session session = engine.openSession()) {
            session.read(other);
            session.regenerate(ids, GoldenLogitsTest.greedyOptions().withMaxTokens(1), piece -> {});
            assertThat(engine.routing().orElseThrow().queries()).isZero();
        }
    }

    /** Everything else goes on beside it, and nothing is left behind. */
    @ParameterizedTest
    @CsvSource({
        "bf16, keydiff, 256tok, query-centroid:k=1",
        "int8, h2o, 40%, cache-aware:k=2",
        "bf16, kvzip, 256tok, adaptive:k=2",
        "'kivi4,int4', , , query-centroid:k=2",
        "bf16, flexgen, 256tok, query-centroid:k=2"
    })
    void theRestOfTheCacheDoesNotMind(String kvDtype, String policy, String budget, String route) throws IOException {
        int[] ids = document(700);
        PiKV.Builder builder = builder().kvDtype(kvDtype).route(route);
        if (policy != null) {
            builder.kvPolicy(policy).kvBudget(budget);
        }
        try (Engine engine = builder.open()) {
            List<List<Integer>> texts = new ArrayList<>();
            for (int run = 0; run < 2; run++) {
                try (Session session = engine.openSession()) {
                    session.read(Arrays.copyOf(ids, 650));
                    texts.add(session.generate(
                                    Arrays.copyOfRange(ids, 650, 690),
                                    GoldenLogitsTest.greedyOptions().withMaxTokens(20),
                                    piece -> {})
                            .tokens());
                    int[] other = Arrays.copyOf(ids, 660);
                    other[600]++;
                    texts.add(session.regenerate(other, GoldenLogitsTest.greedyOptions(), piece -> {})
                            .tokens());
                }
            }
            assertThat(texts.subList(2, 4)).isEqualTo(texts.subList(0, 2));
            assertThat(engine.usage().heldBytes()).isZero();
            RoutingUsage usage = engine.routing().orElseThrow();
            assertThat(usage.tokensRead()).isPositive().isLessThan(usage.tokens());
            assertThat(usage.foreseenShare()).isBetween(0.2, 1.0);
            assertThat(usage.sparedAhead() > 0).isEqualTo("flexgen".equals(policy));
        }
    }

    @Test
    void expertsAreChosenWithTheBiasWhereItIsAskedFor() throws IOException {
        int[] ids = document(PROMPT + STEPS);
        float[][] exact = steps(builder(), ids);
        float[][] without = steps(builder().route(RouteChoice.parse("exact").withExpertBias(0)), ids);
        float[][] with = steps(builder().route(RouteChoice.parse("exact").withExpertBias(10)), ids);
        for (int i = 0; i < STEPS; i++) {
            assertThat(without[i]).containsExactly(exact[i], within(1e-4f));
        }
        assertThat(with[STEPS - 1]).isNotEqualTo(exact[STEPS - 1]);
        for (float[] row : with) {
            for (float logit : row) {
                assertThat(logit).isFinite();
            }
        }
    }

    @Test
    void whatCannotBeTogetherIsRefused() {
        assertThatThrownBy(() -> builder().route("topk").kvPolicy("quest").open())
                .isInstanceOf(InvalidOptionException.class)
                .hasMessage("quest and route topk both choose what is read");
        assertThatThrownBy(() -> builder().route("topk:k=9").open())
                .isInstanceOf(InvalidOptionException.class)
                .hasMessage("route topk: k=9 where layers have 8 experts");
        assertThatThrownBy(
                        () -> PiKV.model(Golden.fixture("llama")).route("topk").open())
                .isInstanceOf(InvalidOptionException.class)
                .hasMessage("route topk: no layer of this model has experts");
    }
}
