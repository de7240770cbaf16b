package org.pikv4j.cache.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.function.IntToDoubleFunction;
import java.util.function.ToDoubleBiFunction;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pikv4j.TestSeeds;
import org.pikv4j.cache.routing.routers.BuiltInRouters;
import org.pikv4j.error.InvalidOptionException;

/** Each router beside a naive one. */
class RoutersTest {
    private static final int ROUNDS = 300;

    private final long seed = TestSeeds.seed();
    private final SplittableRandom random = new SplittableRandom(seed);

    /** What is known of shards, freely made up. */
    private static final class Known {
        final double[] gate;
        final int[] tokens;
        final double[] error;
        final double[] load;
        final double[] mass;
        final double[] miss;
        final double[] similarity;
        int position;

        Known(int shards) {
            gate = new double[shards];
            tokens = new int[shards];
            error = new double[shards];
            load = new double[shards];
            mass = new double[shards];
            miss = new double[shards];
            similarity = new double[shards];
            Arrays.fill(tokens, 64);
        }

        ShardSignals signals() {
            return new ShardSignals(3, 1, position, gate, tokens, error, load, mass, miss, new ShardSignals.Contents() {
                @Override
                public double[] similarities() {
                    return similarity;
                }

                @Override
                public double[] sums(IntToDoubleFunction ofPosition) {
                    throw new UnsupportedOperationException();
                }
            });
        }
    }

    private Known known(int shards, int position) {
        Known known = new Known(shards);
        known.position = position;
        for (int e = 0; e < shards; e++) {
            known.gate[e] = random.nextDouble();
            known.tokens[e] = random.nextInt(5) == 0 ? 0 : 16 * (1 + random.nextInt(20));
            known.error[e] = random.nextDouble();
            known.load[e] = random.nextDouble();
            known.mass[e] = random.nextDouble();
            known.miss[e] = random.nextDouble();
            known.similarity[e] = random.nextDouble();
        }
        return known;
    }

    private static ShardRouter router(String spec) {
        return RouteChoice.parse(spec).router();
    }

    /** The best k of those that hold something, by trying all. */
    private static int[] best(Known known, int k, double[] scores) {
        Set<Integer> chosen = new TreeSet<>();
        while (chosen.size() < k) {
            int best = -1;
            for (int e = 0; e < scores.length; e++) {
                if (known.tokens[e] > 0 && !chosen.contains(e) && (best < 0 || scores[e] > scores[best])) {
                    best = e;
                }
            }
            if (best < 0) {
                break;
            }
            chosen.add(best);
        }
        return chosen.stream().mapToInt(Integer::intValue).toArray();
    }

    private static double mean(double[] values) {
        return Arrays.stream(values).average().orElseThrow();
    }

    private static final Map<String, ToDoubleBiFunction<Known, Integer>> FORMULAS = Map.of(
            "topk",
            (known, e) -> known.gate[e],
            "topk-balanced:alpha=0.3",
            (known, e) -> known.gate[e] - 0.3 * (known.load[e] - mean(known.load)),
            "cache-aware:lambda=0.7,mu=0.2,kappa=1.5",
            (known, e) ->
                    known.gate[e] - 0.7 * Math.log(1 + known.miss[e]) - 0.2 * known.error[e] + 1.5 * known.mass[e],
            "query-centroid",
            (known, e) -> known.similarity[e]);

    @ParameterizedTest
    @ValueSource(
            strings = {"topk", "topk-balanced:alpha=0.3", "cache-aware:lambda=0.7,mu=0.2,kappa=1.5", "query-centroid"})
    void choosesByItsFormula(String spec) {
        for (int round = 0; round < ROUNDS; round++) {
            int shards = 1 + random.nextInt(20);
            int k = 1 + random.nextInt(shards);
            Known known = known(shards, round);
            double[] scores = IntStream.range(0, shards)
                    .mapToDouble(e -> FORMULAS.get(spec).applyAsDouble(known, e))
                    .toArray();
            assertThat(router(spec).choose(known.signals(), new double[0], k))
                    .as(TestSeeds.repeat(seed))
                    .isEqualTo(best(known, k, scores));
        }
    }

    @Test
    void exactTakesAllThatHoldAnything() {
        Known known = known(12, 0);
        assertThat(router("exact").choose(known.signals(), new double[0], 1))
                .isEqualTo(
                        IntStream.range(0, 12).filter(e -> known.tokens[e] > 0).toArray());
    }

    /** Of equal chances, the same again, and whatever else is known. */
    @Test
    void hashChoosesAsIfByDice() {
        int[] counts = new int[8];
        int queries = 8000;
        for (int position = 0; position < queries; position++) {
            Known known = known(8, position);
            Arrays.fill(known.tokens, 1);
            int[] chosen = router("hash").choose(known.signals(), new double[0], 2);
            Known other = new Known(8);
            other.position = position;
            assertThat(router("hash").choose(other.signals(), new double[0], 2)).isEqualTo(chosen);
            Arrays.stream(chosen).forEach(e -> counts[e]++);
        }
        double expected = queries * 2 / 8.0;
        double chiSquare = Arrays.stream(counts)
                .mapToDouble(count -> (count - expected) * (count - expected) / expected)
                .sum();
        assertThat(chiSquare)
                .isLessThan(24.3); // 7 degrees of freedom, one in a thousand; fixed positions, so always the same
    }

    @ParameterizedTest
    @CsvSource({"8, 4, 2, 2", "8, 4, 1, 2", "7, 3, 2, 4", "128, 8, 4, 8", "6, 4, 2, 6", "3, 4, 2, 1"})
    void hierarchicalTakesTheBestOfTheBestGroups(int shards, int groups, int keep, int k) {
        for (int round = 0; round < ROUNDS; round++) {
            Known known = known(shards, round);
            int[] chosen =
                    router("hierarchical:groups=" + groups + ",keep=" + keep).choose(known.signals(), new double[0], k);
            assertThat(chosen).as(TestSeeds.repeat(seed)).isEqualTo(hierarchical(known, groups, keep, k));
        }
    }

    private static int[] hierarchical(Known known, int groups, int keep, int k) {
        int shards = known.gate.length;
        int count = Math.min(groups, shards);
        List<List<Integer>> members = new ArrayList<>();
        for (int g = 0; g < count; g++) {
            int group = g;
            members.add(IntStream.range(0, shards)
                    .filter(e -> e * count / shards == group && known.tokens[e] > 0)
                    .boxed()
                    .sorted(Comparator.comparingDouble((Integer e) -> -known.gate[e]))
                    .toList());
        }
        List<List<Integer>> byScore = members.stream()
                .filter(group -> !group.isEmpty())
                .sorted(Comparator.comparingDouble((List<Integer> group) ->
                        -group.stream().limit(2).mapToDouble(e -> known.gate[e]).sum()))
                .toList();
        int[] chosen = {};
        for (int open = Math.min(keep, count); open <= count; open++) {
            chosen = byScore.stream()
                    .limit(open)
                    .flatMap(List::stream)
                    .sorted(Comparator.comparingDouble((Integer e) -> -known.gate[e]))
                    .limit(k)
                    .mapToInt(Integer::intValue)
                    .sorted()
                    .toArray();
            if (chosen.length == k) {
                break;
            }
        }
        return chosen;
    }

    @Test
    void eplbCorrectsItsBiasesByWhatWasRead() {
        ShardRouter router = router("eplb:gamma=0.05,memory=20");
        double[] kept = new double[router.numbers(6)];
        double[] biases = new double[6];
        double[] loads = new double[6];
        for (int round = 0; round < ROUNDS; round++) {
            Known known = known(6, round);
            List<Integer> full = IntStream.range(0, 6)
                    .filter(e -> known.tokens[e] > 0)
                    .boxed()
                    .toList();
            double[] scores = IntStream.range(0, 6)
                    .mapToDouble(e -> known.gate[e] + biases[e])
                    .toArray();
            int[] chosen = router.choose(known.signals(), kept, 2);
            assertThat(chosen).as(TestSeeds.repeat(seed)).isEqualTo(best(known, 2, scores));
            router.sent(known.signals(), kept, chosen);
            for (int e = 0; e < 6; e++) {
                int shard = e;
                loads[e] = loads[e] * 0.95 + (Arrays.stream(chosen).anyMatch(c -> c == shard) ? 1 : 0);
            }
            double mean = full.stream().mapToDouble(e -> loads[e]).average().orElse(0);
            for (int e : full) {
                biases[e] += Math.abs(loads[e] - mean) < 1e-9 ? 0 : loads[e] < mean ? 0.05 : -0.05;
            }
            double meanBias =
                    full.stream().mapToDouble(e -> biases[e]).average().orElse(0);
            for (int e = 0; e < 6 && !full.isEmpty(); e++) {
                if (!full.contains(e)) {
                    loads[e] = mean;
                    biases[e] = meanBias;
                }
            }
        }
    }

    /** Half of the shards are empty for long; when they are not any more, they are as the others. */
    @Test
    void eplbIsNotWoundUpByEmptyShards() {
        ShardRouter router = router("eplb");
        double[] kept = new double[router.numbers(8)];
        double[] reads = new double[8];
        for (int query = 0; query < 6000; query++) {
            Known known = new Known(8);
            known.position = query;
            for (int e = 0; e < 8; e++) {
                known.gate[e] = 0.1 * (e % 4) + 0.2 * random.nextDouble();
                known.tokens[e] = e < 4 || query >= 4000 ? 16 : 0;
            }
            if (query == 4000) {
                double mean = Arrays.stream(reads).limit(4).average().orElseThrow();
                assertThat(Arrays.stream(reads).limit(4).max().orElseThrow() / mean)
                        .as(TestSeeds.repeat(seed))
                        .isLessThan(1.15);
                Arrays.fill(reads, 0);
            }
            int[] chosen = router.choose(known.signals(), kept, 2);
            router.sent(known.signals(), kept, chosen);
            Arrays.stream(chosen).forEach(e -> reads[e]++);
        }
        assertThat(Arrays.stream(reads).max().orElseThrow() / mean(reads))
                .as(TestSeeds.repeat(seed))
                .isLessThan(1.3);
    }

    /** Some experts are liked by most queries. */
    @ParameterizedTest
    @CsvSource({"8, 2", "8, 1", "64, 6"})
    void eplbBalancesASkewedTrace(int shards, int k) {
        double[] liking = random.doubles(shards, 0, 2).toArray();
        Map<String, Double> imbalance = new HashMap<>();
        List<Known> trace = new ArrayList<>();
        for (int query = 0; query < 4000; query++) {
            Known known = new Known(shards);
            double sum = 0;
            for (int e = 0; e < shards; e++) {
                known.gate[e] = Math.exp(1.5 * liking[e] + random.nextDouble() * 2);
                sum += known.gate[e];
            }
            for (int e = 0; e < shards; e++) {
                known.gate[e] /= sum;
            }
            known.position = query;
            trace.add(known);
        }
        for (String name : List.of("topk", "eplb")) {
            ShardRouter router = router(name);
            double[] kept = new double[router.numbers(shards)];
            double[] reads = new double[shards];
            for (Known known : trace) {
                int[] chosen = router.choose(known.signals(), kept, k);
                router.sent(known.signals(), kept, chosen);
                Arrays.stream(chosen).forEach(e -> reads[e]++);
            }
            imbalance.put(name, DoubleStream.of(reads).max().orElseThrow() / mean(reads));
        }
        assertThat(imbalance.get("topk")).as(TestSeeds.repeat(seed)).isGreaterThan(1.5);
        assertThat(imbalance.get("eplb")).as(TestSeeds.repeat(seed)).isLessThan(1.15);
    }

    /** Ridge regression with the prior's mean, solved anew each time. */
    @Test
    void adaptiveIsRidgeRegressionWithABonus() {
        double alpha = 0.4;
        double cost = 0.1;
        double prior = 2;
        ShardRouter router = router("adaptive:alpha=%s,cost=%s,prior=%s".formatted(alpha, cost, prior));
        int shards = 5;
        double[] kept = new double[router.numbers(shards)];
        double[][] a = new double[7][7];
        double[] b = new double[7];
        for (int i = 0; i < 7; i++) {
            a[i][i] = prior;
        }
        b[1] = prior;
        for (int round = 0; round < ROUNDS; round++) {
            Known known = known(shards, round);
            double all = Math.max(1, Arrays.stream(known.tokens).sum());
            double[] expected = new double[shards];
            double[] theta = solved(a, b);
            double[][] features = new double[shards][];
            for (int e = 0; e < shards; e++) {
                double[] x = {
                    1,
                    known.gate[e],
                    known.similarity[e],
                    known.mass[e],
                    known.tokens[e] / all,
                    Math.log(1 + known.miss[e]),
                    known.error[e]
                };
                features[e] = x;
                expected[e] = dot(theta, x) + alpha * Math.sqrt(dot(x, solved(a, x)));
            }
            double[] scores = new double[shards];
            router.score(known.signals(), kept, scores);
            assertThat(scores).as(TestSeeds.repeat(seed)).containsExactly(expected, within(1e-6));
            int[] read = router.choose(known.signals(), kept, 2);
            double[] mass = random.doubles(shards).toArray();
            router.learn(known.signals(), kept, read, mass);
            for (int e : read) {
                double reward = mass[e] - cost * known.tokens[e] / all;
                for (int i = 0; i < 7; i++) {
                    b[i] += reward * features[e][i];
                    for (int j = 0; j < 7; j++) {
                        a[i][j] += features[e][i] * features[e][j];
                    }
                }
            }
        }
    }

    private static double dot(double[] a, double[] b) {
        return IntStream.range(0, a.length).mapToDouble(i -> a[i] * b[i]).sum();
    }

    /** By Gauss and Jordan. */
    private static double[] solved(double[][] matrix, double[] right) {
        int n = right.length;
        double[][] rows = new double[n][];
        for (int i = 0; i < n; i++) {
            rows[i] = Arrays.copyOf(matrix[i], n + 1);
            rows[i][n] = right[i];
        }
        for (int i = 0; i < n; i++) {
            int pivot = i;
            for (int r = i; r < n; r++) {
                pivot = Math.abs(rows[r][i]) > Math.abs(rows[pivot][i]) ? r : pivot;
            }
            double[] swapped = rows[i];
            rows[i] = rows[pivot];
            rows[pivot] = swapped;
            for (int r = 0; r < n; r++) {
                double factor = r == i ? 0 : rows[r][i] / rows[i][i];
                for (int c = i; c <= n; c++) {
                    rows[r][c] -= factor * rows[i][c];
                }
            }
        }
        return IntStream.range(0, n).mapToDouble(i -> rows[i][n] / rows[i][i]).toArray();
    }

    /** The gate lies, and similarity says where the attention is: the best two are known, and found. */
    @Test
    void adaptiveLearnsWhatTheGateDoesNotKnow() {
        int shards = 8;
        ShardRouter router = router("adaptive");
        double[] kept = new double[router.numbers(shards)];
        int[] found = new int[2];
        int[] byGate = new int[2];
        for (int query = 0; query < 1000; query++) {
            Known known = new Known(shards);
            known.position = query;
            double[] worth = new double[shards];
            double[] seen = new double[shards];
            for (int e = 0; e < shards; e++) {
                known.gate[e] = random.nextDouble();
                known.similarity[e] = random.nextDouble();
                worth[e] = 0.3 * known.similarity[e];
                seen[e] = Math.max(0, worth[e] + 0.02 * (random.nextDouble() - 0.5)); // what is seen of it is noisy
            }
            Set<Integer> best = set(best(known, 2, worth));
            int[] chosen = router.choose(known.signals(), kept, 2);
            router.learn(known.signals(), kept, chosen, seen);
            int late = query < 100 ? 0 : 1;
            found[late] += (int) Arrays.stream(chosen).filter(best::contains).count();
            byGate[late] += (int) Arrays.stream(best(known, 2, known.gate))
                    .filter(best::contains)
                    .count();
        }
        assertThat(found[1] / 1800.0).as(TestSeeds.repeat(seed)).isGreaterThan(0.9);
        assertThat(byGate[1] / 1800.0).as(TestSeeds.repeat(seed)).isLessThan(0.4);
        assertThat(found[0] / 200.0).as(TestSeeds.repeat(seed)).isLessThan(found[1] / 1800.0);
    }

    private static Set<Integer> set(int[] values) {
        return new HashSet<>(Arrays.stream(values).boxed().toList());
    }

    private static List<String> names() {
        return BuiltInRouters.ALL.stream().map(ShardRouter::name).toList();
    }

    /** Empty shards are never read, and k only where there are as many. */
    @ParameterizedTest
    @MethodSource("names")
    void readsWhatThereIs(String name) {
        ShardRouter router = router(name);
        for (int round = 0; round < ROUNDS; round++) {
            int shards = 1 + random.nextInt(12);
            int k = 1 + random.nextInt(shards);
            Known known = known(shards, round);
            double[] kept = new double[router.numbers(shards)];
            int[] chosen = router.choose(known.signals(), kept, k);
            long full = Arrays.stream(known.tokens).filter(tokens -> tokens > 0).count();
            assertThat(chosen).as(TestSeeds.repeat(seed)).isSorted().doesNotHaveDuplicates();
            assertThat(set(chosen)).allMatch(e -> known.tokens[e] > 0);
            assertThat((long) chosen.length).isEqualTo(name.equals("exact") ? full : Math.min(k, full));
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "best | route 'best' is unknown; known: exact, hash, topk,",
                "topk:k=0 | route topk: k must be a number of at least 1",
                "topk:k=1.5 | k must be a whole number",
                "topk:k=2,k=3 | each once",
                "topk:alpha=2 | route topk has no option 'alpha'; it has k, shards, by, sinks, window, prompt, ahead",
                "topk:by=row | by must be expert or page, not 'row'",
                "topk:prompt=2 | prompt must be",
                "eplb:gamma=-1 | gamma must be a number of at least 0",
                "topk:sinks=99999999 | route topk: sinks must be at most 16777216",
                "exact:k=2 | route exact has no option 'k'; it has shards, by,",
                "hierarchical:groups=0 | groups must be a number of at least 1",
                "topk: | options are name=value"
            })
    void whatCannotBeIsSaidInALine(String spec, String message) {
        assertThatThrownBy(() -> RouteChoice.parse(spec.strip()))
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining(message.strip());
    }

    /** Each of the defaults that are told may be written out. */
    @Test
    void defaultsAreThoseThatAreTold() {
        RouteChoice.defaults().forEach((name, options) -> {
            String spec = options.entrySet().stream()
                    .filter(option -> option.getValue().matches("[a-z0-9.]+"))
                    .map(option -> option.getKey() + "=" + option.getValue())
                    .collect(Collectors.joining(",", name + ":", ""));
            assertThat(RouteChoice.parse(spec)).usingRecursiveComparison().isEqualTo(RouteChoice.parse(name));
        });
        assertThat(RouteChoice.defaults().get("exact"))
                .containsExactly(
                        entry("shards", "one for each expert"),
                        entry("by", "expert"),
                        entry("sinks", "4"),
                        entry("window", "32"),
                        entry("prompt", "0"),
                        entry("ahead", "1"));
    }

    @Test
    void whatTheModelCannotDoIsSaidInALine() {
        assertThatThrownBy(() -> RouteChoice.parse("topk").checked(List.of(0, 0)))
                .hasMessage("route topk: no layer of this model has experts");
        assertThatThrownBy(() -> RouteChoice.parse("topk:k=9").checked(List.of(8)))
                .hasMessage("route topk: k=9 where layers have 8 experts");
        assertThatThrownBy(() -> RouteChoice.parse("topk:shards=9").checked(List.of(0, 8)))
                .hasMessage("route topk: shards=9 where layers have 8 experts");
        assertThatThrownBy(() -> RouteChoice.parse("topk:k=3,shards=2").checked(List.of(8)))
                .hasMessage("route topk: k=3 where layers have 2 shards");
        assertThatThrownBy(() ->
                        RouteChoice.parse("topk:shards=4").withExpertBias(1).checked(List.of(8)))
                .hasMessageContaining("expert-bias needs a shard for each expert");
        assertThatThrownBy(() -> RouteChoice.parse("topk:shards=1").checked(List.of(8)))
                .hasMessage("route topk: k=2 where layers have 1 shard");
        assertThatThrownBy(() -> RouteChoice.parse("hierarchical:groups=9").checked(List.of(0, 8)))
                .hasMessage("route hierarchical: groups=9 where layers have 8 shards");
        assertThatThrownBy(() -> RouteChoice.parse("hierarchical:keep=5").checked(List.of(8)))
                .hasMessage("route hierarchical: keep=5 where there are 4 groups");
        RouteChoice.parse("hierarchical:shards=3").checked(List.of(8));
        assertThat(RouteChoice.parse("topk:k=8").checked(List.of(8, 0)).k()).isEqualTo(8);
    }

    @Test
    void everyRouterHasAName() {
        assertThat(names().stream().collect(Collectors.toSet()))
                .containsExactlyInAnyOrder(
                        "exact",
                        "hash",
                        "topk",
                        "topk-balanced",
                        "cache-aware",
                        "eplb",
                        "adaptive",
                        "hierarchical",
                        "query-centroid");
    }
}
