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
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pikv4j.decode.AttentionRows;
import org.pikv4j.error.InvalidOptionException;
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

    /** One layer and KV head: keys, and the mean attention of each query so far, by position. */
    static final class Head {
        final Map<Integer, float[]> keys = new HashMap<>();
        final TreeMap<Integer, Map<Integer, Double>> attention = new TreeMap<>();
        Set<Integer> present = new TreeSet<>();

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
                new Policy("keydiff", (head, length, tokens) -> keyDifference(head, tokens)));
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
                heads.add(new Head());
            }
            for (int from = 0; from < TOKENS; from += FEED) {
                List<AttentionRows> seen = new ArrayList<>();
                session.observe(Optional.of(rows -> seen.add(copy(rows))));
                session.read(Arrays.copyOfRange(ids, from, from + FEED));
                for (AttentionRows rows : seen) {
                    for (int h = 0; h < kvHeads; h++) {
                        Head head = heads.get(rows.layer() * kvHeads + h);
                        int[] all = session.retained(rows.layer(), h);
                        int[] kept = Arrays.stream(all)
                                .filter(p -> p < rows.position())
                                .toArray();
                        assertThat(all.length).isEqualTo(kept.length + FEED);
                        assertThat(all.length).isLessThanOrEqualTo(128);
                        if (kept.length < head.present.size()) {
                            evictions++;
                            check(policy, head, from, kept);
                        }
                        head.present = new TreeSet<>(Arrays.stream(all).boxed().toList());
                        note(rows, h, head);
                    }
                }
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
                rows.values(),
                rows.attended(),
                rows.read());
    }

    private static void note(AttentionRows rows, int kvHead, Head head) {
        int width = rows.spec().headDim();
        int group = rows.spec().group();
        for (int r = 0; r < rows.count(); r++) {
            int at = (rows.first() + r) * rows.spec().kvWidth() + kvHead * width;
            head.keys.put(rows.position() + r, Arrays.copyOfRange(rows.keys(), at, at + width));
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

    private static void check(Policy policy, Head head, int length, int[] kept) {
        int[] before = head.present.stream().mapToInt(Integer::intValue).toArray();
        double[] scores = policy.definition().scores(head, length, before);
        for (int i = 0; i < before.length; i++) {
            if (before[i] < SINKS || before[i] >= length - WINDOW) {
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
