package org.pikv4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pikv4j.calibration.Calibration;
import org.pikv4j.calibration.CalibrationListener;
import org.pikv4j.calibration.Calibrator;
import org.pikv4j.calibration.RankChoice;
import org.pikv4j.decode.AttentionObserver;
import org.pikv4j.decode.AttentionRows;
import org.pikv4j.decode.GateRows;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.session.Engine;
import org.pikv4j.session.Session;

/**
 * What policies keep of a real document, against their definitions over full matrices of the attention that really took place:
 * an observer hands out queries and keys, and everything else is computed anew.
 */
class PolicyOracleTest {
    private static final Path MODEL = Path.of("../cli/src/main/resources/org/pikv4j/cli/demo");
    private static final int PAGE = 16;
    private static final int FEED = 8;
    private static final int TOKENS = 320;
    private static final int SINKS = 2;
    private static final int WINDOW = 20;

    /** One layer and KV head: what it works on, and the mean attention of each query so far, by position. */
    static final class Head {
        final int layer;
        final List<Head> all;
        final Map<Integer, float[]> keys = new HashMap<>();
        final Map<Integer, float[]> values = new HashMap<>();
        final Map<Integer, float[][]> queries = new HashMap<>(); // of the group's heads
        final Map<Integer, Integer> experts = new HashMap<>();
        final TreeMap<Integer, Map<Integer, Double>> attention = new TreeMap<>();
        Set<Integer> present = new TreeSet<>();

        Head(int layer, List<Head> all) {
            this.layer = layer;
            this.all = all;
        }

        double received(int query, int token) {
            return attention.get(query).getOrDefault(token, 0.0);
        }
    }

    /** A policy by its definition: the score of each of some tokens, when the sequence has a length. */
    interface Definition {
        double[] scores(Head head, int length, int[] tokens);
    }

    /** A policy, as the option spells it, and its definition. */
    record Policy(String spec, Definition definition) {
        @Override
        public String toString() {
            return spec;
        }
    }

    static Stream<Policy> policies() {
        return Stream.of(
                new Policy(
                        "streaming-llm",
                        (head, length, tokens) ->
                                Arrays.stream(tokens).asDoubleStream().toArray()),
                new Policy("h2o", (head, length, tokens) -> sums(head, 0, length, tokens)),
                new Policy("tova", (head, length, tokens) -> sums(head, length - 1, length, tokens)),
                new Policy(
                        "snapkv:queries=12", (head, length, tokens) -> pooled(sums(head, length - 12, length, tokens))),
                new Policy(
                        "chunk(snapkv:queries=12):tokens=6",
                        (head, length, tokens) -> chunked(pooled(sums(head, length - 12, length, tokens)), tokens)),
                new Policy("lru", (head, length, tokens) -> uses(head, length, tokens, 0)),
                new Policy("lru+:lambda=30", (head, length, tokens) -> uses(head, length, tokens, 30)),
                new Policy(
                        "knorm",
                        (head, length, tokens) -> Arrays.stream(tokens)
                                .mapToDouble(token -> -norm(head.keys.getOrDefault(token, new float[0])))
                                .toArray()),
                new Policy("keydiff", (head, length, tokens) -> keyDifference(head, tokens)),
                new Policy("fastv:layer=2", PolicyOracleTest::ofAnEarlyLayer),
                new Policy("expected-attention:queries=100000,future=64", PolicyOracleTest::expected),
                new Policy("pikv:lambda=0.7,half-life=40,copies=0.97", PolicyOracleTest::reuse));
    }

    private static double[] ofAnEarlyLayer(Head head, int length, int[] tokens) {
        double[] scores = new double[tokens.length];
        for (Head other : head.all) {
            if (head.layer < 2 ? other.equals(head) : other.layer == 1) {
                double[] sums = sums(other, 0, length, tokens);
                for (int i = 0; i < tokens.length; i++) {
                    scores[i] += sums[i] / (length - tokens[i]);
                }
            }
        }
        return scores;
    }

    /** Mean and covariance of all queries, their rotation undone; the mean rotation as a matrix, and products with it. */
    private static double[] expected(Head head, int length, int[] tokens) {
        int d = head.keys.get(0).length;
        int group = head.queries.get(0).length;
        double[][] rotation = new double[d][d];
        for (int position = length; position < length + 64; position++) {
            double[][] one = rotation(position, d);
            for (int i = 0; i < d; i++) {
                for (int j = 0; j < d; j++) {
                    rotation[i][j] += one[i][j] / 64;
                }
            }
        }
        double[] scores = new double[tokens.length];
        for (int g = 0; g < group; g++) {
            double[] mean = new double[d];
            double[][] products = new double[d][d];
            for (int position = 0; position < length; position++) {
                double[] query = product(
                        transposed(rotation(position, d)), widened(head.queries.get(position)[g]));
                for (int i = 0; i < d; i++) {
                    mean[i] += query[i] / length;
                    for (int j = 0; j < d; j++) {
                        products[i][j] += query[i] * query[j] / length;
                    }
                }
            }
            for (int i = 0; i < d; i++) {
                for (int j = 0; j < d; j++) {
                    products[i][j] -= mean[i] * mean[j];
                }
            }
            double[] exponents = new double[tokens.length];
            double[] turned = product(rotation, mean);
            for (int t = 0; t < tokens.length; t++) {
                double[] key = widened(head.keys.get(tokens[t]));
                double[] back = product(transposed(rotation), key);
                exponents[t] = dot(key, turned) / Math.sqrt(d) + dot(back, product(products, back)) / (2 * d);
            }
            double most = Arrays.stream(exponents).max().orElseThrow();
            double sum = Arrays.stream(exponents).map(e -> Math.exp(e - most)).sum();
            for (int t = 0; t < tokens.length; t++) {
                scores[t] += Math.exp(exponents[t] - most) / sum / group * norm(head.values.get(tokens[t]));
            }
        }
        return scores;
    }

    private static double[][] rotation(int position, int d) {
        double[][] matrix = new double[d][d];
        for (int i = 0; i < d / 2; i++) {
            double angle = position / Math.pow(1e6, 2.0 * i / d);
            matrix[i][i] = Math.cos(angle);
            matrix[i][i + d / 2] = -Math.sin(angle);
            matrix[i + d / 2][i] = Math.sin(angle);
            matrix[i + d / 2][i + d / 2] = Math.cos(angle);
        }
        return matrix;
    }

    private static double[][] transposed(double[][] matrix) {
        return IntStream.range(0, matrix.length)
                .mapToObj(j -> Arrays.stream(matrix).mapToDouble(row -> row[j]).toArray())
                .toArray(double[][]::new);
    }

    private static double[] product(double[][] matrix, double[] vector) {
        return Arrays.stream(matrix).mapToDouble(row -> dot(row, vector)).toArray();
    }

    private static double dot(double[] a, double[] b) {
        return IntStream.range(0, a.length).mapToDouble(i -> a[i] * b[i]).sum();
    }

    private static double[] widened(float[] vector) {
        return IntStream.range(0, vector.length).mapToDouble(i -> vector[i]).toArray();
    }

    /** Feed by feed, as queries are looked at. */
    private static double[] reuse(Head head, int length, int[] tokens) {
        double kept = Math.pow(0.5, FEED / 40.0);
        double[] query = new double[head.keys.get(0).length];
        double[] running = new double[tokens.length];
        int[] last = tokens.clone();
        for (int from = 0; from < length; from += FEED) {
            double[] sums = sums(head, from, from + FEED, tokens);
            for (int t = 0; t < tokens.length; t++) {
                running[t] = running[t] * kept + sums[t] / FEED * (1 - kept);
                if (sums[t] / FEED > 1.0 / head.attention.get(from + FEED - 1).size()) {
                    last[t] = Math.max(last[t], from + FEED - 1);
                }
            }
            for (int i = 0; i < query.length; i++) {
                query[i] *= kept;
                for (int position = from; position < from + FEED; position++) {
                    for (float[] one : head.queries.get(position)) {
                        query[i] += (1 - kept) * one[i] / FEED / head.queries.get(position).length;
                    }
                }
            }
        }
        double[] reuse = IntStream.range(0, tokens.length)
                .mapToDouble(t -> running[t] * Math.pow(0.5, (length - 1 - last[t]) / 40.0))
                .toArray();
        double mean = Arrays.stream(reuse).average().orElseThrow();
        double each = Arrays.stream(running).average().orElseThrow();
        double[] scores = new double[tokens.length];
        Map<Integer, List<double[]>> stayed = new HashMap<>();
        for (int t = tokens.length - 1; t >= 0; t--) {
            int expert = head.experts.get(tokens[t]);
            double earned = IntStream.range(0, tokens.length)
                    .filter(i -> head.experts.get(tokens[i]) == expert)
                    .mapToDouble(i -> running[i])
                    .average()
                    .orElseThrow();
            double[] key = widened(head.keys.get(tokens[t]));
            scores[t] = Math.clamp(earned / each, 0.25, 4) * (reuse[t] / mean + 0.7 * (1 + cosine(key, query)) / 2);
            List<double[]> others = stayed.computeIfAbsent(expert, e -> new ArrayList<>());
            if (others.stream().skip(Math.max(0, others.size() - 4)).anyMatch(o -> cosine(o, key) > 0.97)) {
                scores[t] -= Float.MAX_VALUE / 2;
            } else {
                others.add(key);
            }
        }
        return scores;
    }

    private static double cosine(double[] a, double[] b) {
        return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
    }

    private static double[] sums(Head head, int from, int to, int[] tokens) {
        return Arrays.stream(tokens)
                .mapToDouble(token -> IntStream.range(from, to)
                        .mapToDouble(query -> head.received(query, token))
                        .sum())
                .toArray();
    }

    private static double[] pooled(double[] scores) {
        return IntStream.range(0, scores.length)
                .mapToDouble(i -> IntStream.rangeClosed(i - 2, i + 2)
                                .filter(j -> j >= 0 && j < scores.length)
                                .mapToDouble(j -> scores[j])
                                .sum()
                        / 5)
                .toArray();
    }

    private static double[] chunked(double[] scores, int[] tokens) {
        return IntStream.range(0, scores.length)
                .mapToDouble(i -> IntStream.range(0, scores.length)
                        .filter(j -> tokens[j] / 6 == tokens[i] / 6)
                        .mapToDouble(j -> scores[j])
                        .average()
                        .orElseThrow())
                .toArray();
    }

    /** All queries of a feed are looked at together. */
    private static double[] uses(Head head, int length, int[] tokens, double lambda) {
        return Arrays.stream(tokens)
                .mapToDouble(token -> {
                    int last = token;
                    int count = 0;
                    for (int from = 0; from < length; from += FEED) {
                        double mean = sums(head, from, from + FEED, new int[] {token})[0] / FEED;
                        int seen = head.attention.get(from + FEED - 1).size();
                        if (mean > 1.0 / seen) {
                            last = Math.max(last, from + FEED - 1);
                            count++;
                        }
                    }
                    return lambda == 0 ? last : lambda * Math.log1p(count) - (length - 1 - last);
                })
                .toArray();
    }

    private static double norm(float[] key) {
        return Math.sqrt(IntStream.range(0, key.length)
                .mapToDouble(i -> (double) key[i] * key[i])
                .sum());
    }

    private static double[] keyDifference(Head head, int[] tokens) {
        double[][] unit = Arrays.stream(tokens)
                .mapToObj(token -> {
                    float[] key = head.keys.get(token);
                    return IntStream.range(0, key.length)
                            .mapToDouble(i -> key[i] / norm(key))
                            .toArray();
                })
                .toArray(double[][]::new);
        double[] mean = IntStream.range(0, unit[0].length)
                .mapToDouble(i -> Arrays.stream(unit).mapToDouble(key -> key[i]).sum())
                .toArray();
        return Arrays.stream(unit)
                .mapToDouble(key -> -IntStream.range(0, mean.length)
                        .mapToDouble(i -> key[i] * mean[i])
                        .sum())
                .toArray();
    }

    @ParameterizedTest
    @MethodSource("policies")
    void keepsWhatItsDefinitionKeeps(Policy policy) throws IOException {
        String document = Files.readString(Path.of("../app/demo/document.txt"));
        int evictions = 0;
        try (Engine engine = PiKV.model(MODEL)
                        .kvDtype("f32")
                        .pageTokens(PAGE)
                        .kvBudget("128tok")
                        .kvPolicy(policy.spec() + (policy.spec().matches(".*:[^)]*") ? "," : ":") + "sinks=" + SINKS
                                + ",window=" + WINDOW)
                        .open();
                Session session = engine.openSession()) {
            int[] ids = Arrays.copyOf(engine.model().tokenizer().encode(document, true), TOKENS);
            int layers = engine.model().config().layers().size();
            int kvHeads =
                    engine.model().config().layers().getFirst().attention().kvHeads();
            List<Head> heads = new ArrayList<>();
            for (int i = 0; i < layers * kvHeads; i++) {
                heads.add(new Head(i / kvHeads, heads));
            }
            for (int from = 0; from < TOKENS; from += FEED) {
                List<AttentionRows> seen = new ArrayList<>();
                session.observe(Optional.of(new AttentionObserver() {
                    @Override
                    public void observe(AttentionRows rows) {
                        seen.add(copy(rows));
                    }

                    @Override
                    public void observe(GateRows rows) {
                        noteExperts(rows, heads);
                    }
                }));
                session.read(Arrays.copyOfRange(ids, from, from + FEED));
                int held = 0;
                for (AttentionRows rows : seen) {
                    for (int h = 0; h < kvHeads; h++) {
                        Head head = heads.get(rows.layer() * kvHeads + h);
                        int[] all = session.retained(rows.layer(), h);
                        int[] kept = Arrays.stream(all)
                                .filter(p -> p < rows.position())
                                .toArray();
                        assertThat(all.length).isEqualTo(kept.length + FEED);
                        held += all.length;
                        if (kept.length < head.present.size()) {
                            evictions++;
                            check(policy, head, from, kept, SINKS, WINDOW);
                        }
                        head.present = new TreeSet<>(Arrays.stream(all).boxed().toList());
                        note(rows, h, head);
                    }
                }
                assertThat(held).isLessThanOrEqualTo(128 * heads.size());
                assertThat(seen).hasSize(layers);
            }
        }
        assertThat(evictions).isGreaterThan(4 * 8);
    }

    @ParameterizedTest
    @CsvSource({"pyramid, 96tok", "pyramid(h2o):floor=0, 160tok", "adakv(tova):floor=0, 96tok", "adakv, 50%", "h2o, 50%"
    })
    void whatIsProtectedStaysAndTheBudgetHolds(String policy, String budget) throws IOException {
        String document = Files.readString(Path.of("../app/demo/document.txt"));
        try (Engine engine = PiKV.model(MODEL)
                        .pageTokens(PAGE)
                        .kvBudget(budget)
                        .kvPolicy(policy)
                        .open();
                Session session = engine.openSession()) {
            int[] ids = Arrays.copyOf(engine.model().tokenizer().encode(document, true), TOKENS);
            session.read(ids);
            checkBudget(engine, session, budget);
            int[] other = Arrays.copyOf(ids, 200);
            other[120]++; // what follows is read again
            session.regenerate(other, GoldenLogitsTest.greedyOptions().withMaxTokens(1), piece -> {});
            checkBudget(engine, session, budget);
        }
    }

    /** Blocks of 16 tokens whatever the page, the best bounds of a group's heads, and the prompt in full. */
    @Test
    void questReadsTheBlocksWithTheHighestBounds() throws IOException {
        String document = Files.readString(Path.of("../app/demo/document.txt"));
        try (Engine engine = PiKV.model(MODEL)
                        .kvDtype("f32")
                        .pageTokens(32)
                        .kvPolicy("quest:read=0.4,dense-layers=1,sinks=2,window=20")
                        .open();
                Session session = engine.openSession()) {
            int[] ids = Arrays.copyOf(engine.model().tokenizer().encode(document, true), TOKENS);
            List<AttentionRows> seen = new ArrayList<>();
            session.observe(Optional.of(rows -> seen.add(copy(rows))));
            session.read(Arrays.copyOf(ids, 200));
            session.read(Arrays.copyOfRange(ids, 200, TOKENS));
            int chosen = 0;
            for (int layer = 0; layer < 4; layer++) {
                AttentionRows prompt = seen.get(layer);
                AttentionRows rows = seen.get(4 + layer);
                assertThat(rows.position()).isEqualTo(200);
                for (int kvHead = 0; kvHead < 2; kvHead++) {
                    assertThat(prompt.read().positions(199, kvHead)).hasSize(200);
                    for (int row = 0; row < rows.count(); row++) {
                        int[] read = rows.read().positions(row, kvHead);
                        if (layer == 0) {
                            assertThat(read).hasSize(200 + row + 1);
                        } else {
                            checkBlocks(prompt, rows, row, kvHead, read);
                            chosen++;
                        }
                    }
                }
            }
            assertThat(chosen).isEqualTo(3 * 2 * (TOKENS - 200));
        }
    }

    private static void checkBlocks(AttentionRows prompt, AttentionRows rows, int row, int kvHead, int[] read) {
        AttentionSpec spec = rows.spec();
        int position = rows.position() + row;
        int blocks = Math.ceilDiv(position + 1, 16);
        double[] scores = new double[blocks];
        Arrays.fill(scores, Double.NEGATIVE_INFINITY);
        Set<Integer> always = new TreeSet<>();
        for (int block = 0; block < blocks; block++) {
            if (block == 0 || block == blocks - 1 || block * 16 + 15 >= position + 1 - 20) {
                always.add(block);
            }
        }
        for (int g = 0; g < spec.group(); g++) {
            int query = (rows.first() + row) * spec.queryWidth() + (kvHead * spec.group() + g) * spec.headDim();
            double[] bounds = new double[blocks];
            double best = Double.NEGATIVE_INFINITY;
            for (int block = 0; block < blocks; block++) {
                if (!always.contains(block)) {
                    for (int d = 0; d < spec.headDim(); d++) {
                        double q = rows.queries()[query + d];
                        double most = Double.NEGATIVE_INFINITY;
                        for (int t = block * 16; t < block * 16 + 16; t++) {
                            AttentionRows from = t < 200 ? prompt : rows;
                            int at = (from.first() + t - from.position()) * spec.kvWidth() + kvHead * spec.headDim();
                            double key = from.keys()[at + d];
                            most = Math.max(
                                    most, q * key + Math.abs(q * key) / 256); // about what rounding outwards adds
                        }
                        bounds[block] += most * spec.scale();
                    }
                    best = Math.max(best, bounds[block]);
                }
            }
            for (int block = 0; block < blocks; block++) {
                scores[block] = always.contains(block) ? 1e9 : Math.max(scores[block], bounds[block] - best);
            }
        }
        Set<Integer> chosen = new TreeSet<>();
        Arrays.stream(read).forEach(t -> chosen.add(t / 16));
        assertThat(chosen).containsAll(always).hasSize(Math.max(always.size(), (int) Math.ceil(0.4 * blocks)));
        assertThat(read).hasSize(chosen.size() * 16 - (blocks * 16 - position - 1));
        double least = chosen.stream().mapToDouble(block -> scores[block]).min().orElseThrow();
        double left = IntStream.range(0, blocks)
                .filter(block -> !chosen.contains(block))
                .mapToDouble(block -> scores[block])
                .max()
                .orElse(Double.NEGATIVE_INFINITY);
        assertThat(least).isGreaterThan(left - 0.3); // the rounding is a bound of its own
    }

    /** The heads that lose most keep what the others leave. */
    @Test
    void duoKeepsAllInTheHeadsThatNeedIt(@TempDir Path directory) throws IOException {
        String document = Files.readString(Path.of("../app/demo/document.txt"));
        Path file = directory.resolve("heads.safetensors");
        float[][] errors;
        try (Engine engine = PiKV.model(MODEL).kvDtype("f32").open()) {
            int[] ids = engine.model().tokenizer().encode(document, true);
            Calibration heads = new Calibrator(engine, CalibrationListener.NONE)
                    .calibrate(ids, List.of(), RankChoice.parse("1"))
                    .calibration();
            heads.write(file);
            errors = heads.streamingError();
        }
        float[] sorted = new float[8];
        for (int i = 0; i < 8; i++) {
            sorted[i] = errors[i / 2][i % 2];
        }
        Arrays.sort(sorted);
        try (Engine engine = PiKV.model(MODEL)
                        .pageTokens(PAGE)
                        .kvCalibration(file)
                        .kvPolicy("duo:retrieval=0.25")
                        .open();
                Session session = engine.openSession()) {
            session.read(Arrays.copyOf(engine.model().tokenizer().encode(document, true), TOKENS));
            session.cut(90);
            for (int layer = 0; layer < 4; layer++) {
                for (int head = 0; head < 2; head++) {
                    boolean retrieval = errors[layer][head] > sorted[5];
                    int kept = retrieval ? (8 * 90 - 6 * 36) / 2 : 36;
                    assertThat(session.retained(layer, head))
                            .containsExactly(
                                    IntStream.concat(IntStream.range(0, 4), IntStream.range(TOKENS - kept + 4, TOKENS))
                                            .toArray());
                }
            }
        }
    }

    /** The sinks' keys stand where they would if nothing were gone; a truncated sequence has them where they belong then. */
    @Test
    void streamingLlmCountsPositionsWithinTheCache() throws IOException {
        String document = Files.readString(Path.of("../app/demo/document.txt"));
        try (Engine engine = PiKV.model(MODEL)
                        .kvDtype("f32")
                        .pageTokens(PAGE)
                        .kvBudget("96tok")
                        .kvPolicy("streaming-llm")
                        .open();
                Session session = engine.openSession()) {
            int[] ids = Arrays.copyOf(engine.model().tokenizer().encode(document, true), TOKENS);
            NavigableMap<Integer, AttentionRows> seen = new TreeMap<>(); // of one layer, by position of the first row
            TreeMap<Integer, Double> errors = new TreeMap<>();
            session.observe(Optional.of(rows -> {
                if (rows.layer() == 2) { // whose heads look at sinks
                    seen.tailMap(rows.position()).clear();
                    seen.put(rows.position(), copy(rows));
                    errors.put(rows.position(), error(seen, rows));
                }
            }));
            session.read(ids);
            try (Session fork = session.fork()) {
                fork.read(Arrays.copyOf(ids, 70)); // turns its sinks on, and not those that it shares
            }
            int[] shorter = Arrays.copyOf(ids, 250);
            shorter[249]++;
            session.regenerate(shorter, GoldenLogitsTest.greedyOptions().withMaxTokens(60), piece -> {});
            int[] shortest = Arrays.copyOf(ids, 30); // none but sinks is left
            session.regenerate(shortest, GoldenLogitsTest.greedyOptions().withMaxTokens(100), piece -> {});
            assertThat(errors.values()).allSatisfy(error -> assertThat(error).isLessThan(1e-3));
            assertThat(errors).hasSizeGreaterThan(100);
        }
    }

    /** Of the attention of the last row, against that to the tokens that it reads, with the sinks turned on over the gap. */
    private static double error(NavigableMap<Integer, AttentionRows> seen, AttentionRows rows) {
        AttentionSpec spec = rows.spec();
        int width = spec.headDim();
        int row = rows.count() - 1;
        double worst = 0;
        for (int kvHead = 0; kvHead < spec.kvHeads(); kvHead++) {
            int[] tokens = rows.read().positions(row, kvHead);
            int gap = Arrays.stream(tokens).filter(t -> t >= 4).min().orElse(4) - 4;
            for (int g = 0; g < spec.group(); g++) {
                int query = (rows.first() + row) * spec.queryWidth() + (kvHead * spec.group() + g) * width;
                double sum = 0;
                double[] out = new double[width];
                for (int token : tokens) {
                    AttentionRows from = seen.floorEntry(token).getValue(); // the last to write it
                    int at = (from.first() + token - from.position()) * spec.kvWidth() + kvHead * width;
                    double[] key = widened(Arrays.copyOfRange(from.keys(), at, at + width));
                    if (token < 4) {
                        key = product(rotation(gap, width), key);
                    }
                    double weight = Math.exp(
                            spec.scale() * dot(key, widened(Arrays.copyOfRange(rows.queries(), query, query + width))));
                    sum += weight;
                    for (int i = 0; i < width; i++) {
                        out[i] += weight * from.values()[at + i];
                    }
                }
                for (int i = 0; i < width; i++) {
                    worst = Math.max(worst, Math.abs(out[i] / sum - rows.attended()[query + i]));
                }
            }
        }
        return worst;
    }

    /** What is read again, by the model itself in a session of its own, and everything else by definition. */
    @Test
    void kvzipKeepsWhatTheModelNeedsToSayTheTextAgain() throws IOException {
        String document = Files.readString(Path.of("../app/demo/document.txt"));
        try (Engine zips = PiKV.model(MODEL)
                        .kvDtype("f32")
                        .pageTokens(PAGE)
                        .prefillChunk(512)
                        .kvPolicy("kvzip")
                        .open();
                Engine reads =
                        PiKV.model(MODEL).kvDtype("f32").prefillChunk(512).open();
                Session session = zips.openSession();
                Session plain = reads.openSession()) {
            int[] ids = Arrays.copyOf(reads.model().tokenizer().encode(document, true), TOKENS);
            session.read(ids);
            session.cut(100);
            List<AttentionRows> rows = new ArrayList<>();
            plain.observe(Optional.of(seen -> rows.add(copy(seen))));
            plain.read(ids);
            int[] instruction = reads.model().tokenizer().encode("\n\nRepeat the previous context:", false);
            plain.read(IntStream.concat(Arrays.stream(instruction), Arrays.stream(ids))
                    .toArray());
            for (int layer = 0; layer < 4; layer++) {
                for (int kvHead = 0; kvHead < 2; kvHead++) {
                    Head head = new Head(layer, List.of());
                    double[] peaks = peaks(rows.get(layer), rows.get(4 + layer), kvHead);
                    head.present =
                            new TreeSet<>(IntStream.range(0, TOKENS).boxed().toList());
                    check(
                            new Policy("kvzip", (h, length, tokens) -> peaks),
                            head,
                            TOKENS,
                            session.retained(layer, kvHead),
                            4,
                            32);
                }
            }
        }
    }

    private static double[] peaks(AttentionRows text, AttentionRows again, int kvHead) {
        AttentionSpec spec = again.spec();
        int width = spec.headDim();
        double[] peaks = new double[TOKENS];
        for (int r = 0; r < again.count(); r++) {
            for (int g = 0; g < spec.group(); g++) {
                int query = r * spec.queryWidth() + (kvHead * spec.group() + g) * width;
                double[] weights = new double[TOKENS + r + 1];
                for (int t = 0; t < weights.length; t++) {
                    float[] keys = t < TOKENS ? text.keys() : again.keys();
                    int key = (t < TOKENS ? t : t - TOKENS) * spec.kvWidth() + kvHead * width;
                    for (int d = 0; d < width; d++) {
                        weights[t] += (double) again.queries()[query + d] * keys[key + d] * spec.scale();
                    }
                    weights[t] = Math.exp(weights[t]);
                }
                double sum = Arrays.stream(weights).sum();
                for (int t = 0; t < TOKENS; t++) {
                    peaks[t] = Math.max(peaks[t], weights[t] / sum);
                }
            }
        }
        return peaks;
    }

    @ParameterizedTest
    @ValueSource(strings = {"h2o", "adakv(snapkv)"})
    void aCutLeavesSoManyTokensOnAverage(String policy) throws IOException {
        String document = Files.readString(Path.of("../app/demo/document.txt"));
        try (Engine engine = PiKV.model(MODEL).pageTokens(PAGE).kvPolicy(policy).open();
                Session session = engine.openSession()) {
            session.read(Arrays.copyOf(engine.model().tokenizer().encode(document, true), TOKENS));
            long held = session.kvBytes();
            assertThatThrownBy(() -> session.cut(35)).isInstanceOf(InvalidOptionException.class);
            assertThat(session.kvBytes()).isEqualTo(held);
            session.cut(80);
            checkBudget(engine, session, "96tok"); // whole pages
            long kept = 0;
            for (int layer = 0; layer < 4; layer++) {
                kept += session.retained(layer, 0).length + session.retained(layer, 1).length;
            }
            assertThat(kept).isEqualTo(4 * 2 * 80);
            assertThat(session.kvBytes()).isLessThan(held / 3);
        }
    }

    /** Who counts by the tiles of a prompt is told the same, whoever else has rows in its batches. */
    @ParameterizedTest
    @ValueSource(strings = {"lru", "lru+", "pikv", "h2o"})
    void whatIsKeptDoesNotDependOnWhoSharesTheBatches(String policy) throws Exception {
        String document = Files.readString(Path.of("../app/demo/document.txt"));
        try (Engine engine = PiKV.model(MODEL)
                        .backend("scalar") // whose sums do not depend on what is compiled already
                        .pageTokens(PAGE)
                        .prefillChunk(56)
                        .kvBudget("256tok")
                        .kvPolicy(policy)
                        .open();
                ExecutorService callers = Executors.newFixedThreadPool(5)) {
            int[] ids = engine.model().tokenizer().encode(document, true);
            Callable<List<int[]>> one = () -> kept(engine, Arrays.copyOf(ids, 410));
            List<int[]> alone = one.call();
            List<Future<?>> others = new ArrayList<>();
            for (int other = 1; other < 5; other++) {
                int[] prompt =
                        Arrays.copyOfRange(ids, 17 * other, 77 * other); // short ones decode while long ones are read
                others.add(callers.submit(() -> {
                    for (int round = 0; round < 3; round++) {
                        kept(engine, prompt);
                    }
                }));
            }
            for (int round = 0; round < 2; round++) {
                assertThat(callers.submit(one).get()).usingRecursiveComparison().isEqualTo(alone);
            }
            for (Future<?> other : others) {
                other.get();
            }
        }
    }

    private static List<int[]> kept(Engine engine, int[] prompt) {
        try (Session session = engine.openSession()) {
            List<int[]> all = new ArrayList<>();
            all.add(
                    session
                            .generate(prompt, GoldenLogitsTest.greedyOptions().withMaxTokens(40), piece -> {})
                            .tokens()
                            .stream()
                            .mapToInt(Integer::intValue)
                            .toArray());
            for (int layer = 0; layer < engine.model().config().layers().size(); layer++) {
                for (int head = 0; head < 2; head++) {
                    all.add(session.retained(layer, head));
                }
            }
            return all;
        }
    }

    private static void checkBudget(Engine engine, Session session, String budget) {
        int length = session.tokens().length;
        long held = 0;
        long heads = 0;
        for (int layer = 0; layer < engine.model().config().layers().size(); layer++) {
            int kvHeads =
                    engine.model().config().layers().get(layer).attention().kvHeads();
            for (int head = 0; head < kvHeads; head++, heads++) {
                int[] kept = session.retained(layer, head);
                int newest = kept[kept.length - 1];
                held += Math.ceilDiv(kept.length, PAGE) * PAGE;
                assertThat(Arrays.stream(kept).limit(4)).containsExactly(0, 1, 2, 3);
                assertThat(Arrays.stream(kept)
                                .filter(position -> position > newest - 32)
                                .count())
                        .isEqualTo(32);
            }
        }
        int tokens = budget.endsWith("tok") ? Integer.parseInt(budget.replace("tok", "")) : length / 2;
        assertThat(held).isLessThanOrEqualTo(heads * tokens);
    }

    private static AttentionRows copy(AttentionRows rows) {
        return new AttentionRows(
                rows.layer(),
                rows.spec(),
                rows.position(),
                rows.first(),
                rows.count(),
                rows.queries().clone(),
                rows.keys().clone(),
                rows.values().clone(),
                rows.attended(),
                rows.read());
    }

    private static void noteExperts(GateRows rows, List<Head> heads) {
        for (int r = 0; r < rows.count(); r++) {
            int at = (rows.first() + r) * rows.experts();
            int best = IntStream.range(0, rows.experts())
                    .boxed()
                    .max(Comparator.comparingDouble((Integer e) -> rows.probabilities()[at + e]))
                    .orElseThrow();
            for (Head head : heads) {
                if (head.layer == rows.layer()) {
                    head.experts.put(rows.position() + r, best);
                }
            }
        }
    }

    private static void note(AttentionRows rows, int kvHead, Head head) {
        int width = rows.spec().headDim();
        int group = rows.spec().group();
        for (int r = 0; r < rows.count(); r++) {
            int at = (rows.first() + r) * rows.spec().kvWidth() + kvHead * width;
            head.keys.put(rows.position() + r, Arrays.copyOfRange(rows.keys(), at, at + width));
            head.values.put(rows.position() + r, Arrays.copyOfRange(rows.values(), at, at + width));
            float[][] ofGroup = new float[group][];
            for (int g = 0; g < group; g++) {
                int query = (rows.first() + r) * rows.spec().queryWidth() + (kvHead * group + g) * width;
                ofGroup[g] = Arrays.copyOfRange(rows.queries(), query, query + width);
            }
            head.queries.put(rows.position() + r, ofGroup);
        }
        for (int r = 0; r < rows.count(); r++) {
            int query = rows.position() + r;
            Map<Integer, Double> mean = new HashMap<>();
            head.present.forEach(token -> mean.put(token, 0.0)); // those that the query does not see, too
            for (int g = 0; g < group; g++) {
                int at = (rows.first() + r) * rows.spec().queryWidth() + (kvHead * group + g) * width;
                Map<Integer, Double> weights = new HashMap<>();
                double total = 0;
                for (int token : head.present) {
                    if (token <= query) {
                        double dot = 0;
                        for (int d = 0; d < width; d++) {
                            dot += (double) rows.queries()[at + d] * head.keys.get(token)[d];
                        }
                        double weight = Math.exp(dot * rows.spec().scale());
                        weights.put(token, weight);
                        total += weight;
                    }
                }
                for (Map.Entry<Integer, Double> weight : weights.entrySet()) {
                    mean.merge(weight.getKey(), weight.getValue() / total / group, Double::sum);
                }
            }
            head.attention.put(query, mean);
        }
    }

    private static void check(Policy policy, Head head, int length, int[] kept, int sinks, int window) {
        int[] before = head.present.stream().mapToInt(Integer::intValue).toArray();
        double[] scores = policy.definition().scores(head, length, before);
        for (int i = 0; i < before.length; i++) {
            if (before[i] < sinks || before[i] >= length - window) {
                scores[i] = Double.POSITIVE_INFINITY;
            }
        }
        Integer[] order = IntStream.range(0, before.length).boxed().toArray(Integer[]::new);
        Arrays.sort(order, Comparator.comparingDouble((Integer i) -> -scores[i]).thenComparingInt(i -> -before[i]));
        Set<Integer> expected = new TreeSet<>();
        for (int i = 0; i < kept.length; i++) {
            expected.add(before[order[i]]);
        }
        Set<Integer> actual = new TreeSet<>(Arrays.stream(kept).boxed().toList());
        double last = scores[order[kept.length - 1]];
        for (int i = 0; i < before.length; i++) {
            if (expected.contains(before[i]) != actual.contains(before[i])) {
                // Rounding may swap equals.
                assertThat(scores[i])
                        .as("%s at %d, token %d", policy, length, before[i])
                        .isCloseTo(last, within(1e-4 * Math.abs(last) + 1e-9));
            }
        }
    }
}
