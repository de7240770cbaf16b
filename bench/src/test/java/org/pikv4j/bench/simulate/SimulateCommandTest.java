package org.pikv4j.bench.simulate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pikv4j.PiKV;
import org.pikv4j.backend.Backend;
import org.pikv4j.backend.BackendOptions;
import org.pikv4j.backend.Backends;
import org.pikv4j.bench.Program;
import org.pikv4j.bench.recall.Evaluation;
import org.pikv4j.bench.simulate.SimulationReport.Mode;
import org.pikv4j.bench.simulate.SimulationReport.Row;
import org.pikv4j.cache.scheduling.PolicyChoice;
import org.pikv4j.cache.scheduling.TokenBudget;
import org.pikv4j.cli.Progress;
import org.pikv4j.session.Engine;
import org.pikv4j.session.Session;
import org.pikv4j.trace.Trace;
import org.pikv4j.trace.TraceRecorder;

/** The simulator, on a document of the evaluation sets as the demo model reads it. */
class SimulateCommandTest {
    private static final Path MODEL = Path.of("../engine/cli/src/main/resources/org/pikv4j/cli/demo");
    private static final int PAGE = 16;

    @TempDir
    private static Path directory;

    private static Path file = Path.of("");
    private static int[] ids = {};
    private static int cut;

    @BeforeAll
    static void record() throws IOException {
        Evaluation row = Evaluation.read("--data", "data/recall-moe/eval-256.jsonl", Optional.of(1))
                .getFirst();
        Evaluation.Question question = row.questions().getFirst();
        file = directory.resolve("run.trace");
        try (Engine engine = PiKV.model(MODEL).open();
                Session session = engine.openSession();
                TraceRecorder recorder = new TraceRecorder(file, engine.model().config())) {
            String text = row.document() + "Question: " + question.question() + " Answer: " + question.answer();
            ids = engine.model().tokenizer().encode(text, true);
            cut = ids.length - 20;
            session.observe(Optional.of(recorder));
            session.read(ids);
            recorder.finish("demo", ids, cut);
        }
    }

    /** By its definition, over the full matrices. */
    private static final class Matrices {
        final double[][][] shares; // (table)(query)(token)

        Matrices(Trace trace) {
            List<double[][]> tables = new ArrayList<>();
            int n = trace.length();
            for (int layer = 0; layer < trace.layers().size(); layer++) {
                int heads = trace.layers().get(layer).spec().heads();
                int kvHeads = trace.layers().get(layer).spec().kvHeads();
                int dim = trace.layers().get(layer).spec().headDim();
                float[] queries = new float[n * heads * dim];
                float[] keys = new float[n * kvHeads * dim];
                trace.queries(layer, 0, n, queries);
                trace.keys(layer, 0, n, keys);
                for (int kvHead = 0; kvHead < kvHeads; kvHead++) {
                    double[][] mean = new double[n][n];
                    for (int h = kvHead * heads / kvHeads; h < (kvHead + 1) * heads / kvHeads; h++) {
                        for (int q = 0; q < n; q++) {
                            double[] e = new double[q + 1];
                            for (int t = 0; t <= q; t++) {
                                for (int d = 0; d < dim; d++) {
                                    e[t] += (double) queries[(q * heads + h) * dim + d]
                                            * keys[(t * kvHeads + kvHead) * dim + d];
                                }
                                e[t] = Math.exp(e[t] / Math.sqrt(dim));
                            }
                            double sum = Arrays.stream(e).sum();
                            for (int t = 0; t <= q; t++) {
                                mean[q][t] += e[t] / sum * kvHeads / heads;
                            }
                        }
                    }
                    tables.add(mean);
                }
            }
            shares = tables.toArray(double[][][]::new);
        }

        /** Hit rate and mass of steps from a cut on, where {@code present} says what a step finds. */
        double[] judge(int from, Present present) {
            double hits = 0;
            double mass = 0;
            int reads = 0;
            for (int table = 0; table < shares.length; table++) {
                for (int q = from; q < shares[table].length; q++) {
                    double[] row = shares[table][q];
                    int top = IntStream.rangeClosed(0, q).reduce(0, (a, b) -> row[b] > row[a] ? b : a);
                    Set<Integer> found = present.at(table, q);
                    hits += found.contains(top) ? 1 : 0;
                    mass += found.stream().mapToDouble(t -> row[t]).sum();
                    reads++;
                }
            }
            return new double[] {hits / reads, mass / reads};
        }
    }

    private interface Present {
        Set<Integer> at(int table, int query);
    }

    private static List<Row> simulate(Trace trace, List<String> policies, List<Double> budgets) {
        Map<String, PolicyChoice> chosen = new LinkedHashMap<>();
        policies.forEach(policy -> chosen.put(policy, PolicyChoice.parse(policy)));
        try (Backend backend = backend();
                Progress progress = Progress.onStderr()) {
            Simulation simulation =
                    new Simulation(chosen, budgets, List.of(Mode.CUT, Mode.HELD), PAGE, backend, progress);
            simulation.add(trace, cut);
            return simulation.rows();
        }
    }

    private static Backend backend() {
        return new Backends(List.of()).open(Backends.AUTO, BackendOptions.defaults());
    }

    @ParameterizedTest
    @ValueSource(strings = {"h2o", "snapkv:queries=24", "adakv(lru)"})
    void aReplayKeepsWhatTheRunKeeps(String policy) {
        int tokens = cut / 2;
        List<int[]> kept = new ArrayList<>();
        try (Engine engine = PiKV.model(MODEL).pageTokens(PAGE).kvPolicy(policy).open();
                Session session = engine.openSession()) {
            session.read(Arrays.copyOf(ids, cut));
            session.cut(tokens);
            for (int table = 0; table < 8; table++) {
                kept.add(session.retained(table / 2, table % 2));
            }
        }
        try (Backend backend = backend();
                Trace trace = Trace.open(file);
                TraceReplay replay =
                        new TraceReplay(trace, backend, PolicyChoice.parse(policy), Optional.empty(), PAGE)) {
            replay.read(cut);
            Retention retention = replay.cut(tokens);
            for (int table = 0; table < 8; table++) {
                assertThat(retention.tokens(table, cut)).as("table " + table).isEqualTo(kept.get(table));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = "tova")
    void aReplayHoldsABudgetAsTheRunDoes(String policy) {
        try (Engine engine = PiKV.model(MODEL)
                        .pageTokens(PAGE)
                        .kvPolicy(policy)
                        .kvBudget("40%")
                        .open();
                Session session = engine.openSession();
                Backend backend = backend()) {
            // What a session under a budget computes depends on what it evicts: a trace of its own.
            Path own = directory.resolve(policy + ".trace");
            try (TraceRecorder recorder = new TraceRecorder(own, engine.model().config())) {
                session.observe(Optional.of(recorder));
                session.read(Arrays.copyOf(ids, cut));
                recorder.finish("demo", ids, cut);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            try (Trace trace = Trace.open(own);
                    TraceReplay replay = new TraceReplay(
                            trace, backend, PolicyChoice.parse(policy), Optional.of(TokenBudget.parse("40%")), PAGE)) {
                replay.read(cut);
                for (int table = 0; table < 8; table++) {
                    int[] kept = session.retained(table / 2, table % 2);
                    assertThat(kept).hasSizeLessThan(cut / 2);
                    assertThat(replay.retention().tokens(table, cut)).isEqualTo(kept);
                }
            }
        }
    }

    @Test
    void hitRateAndMassAreThoseOfTheFullMatrices() {
        try (Trace trace = Trace.open(file);
                Backend backend = backend()) {
            Matrices matrices = new Matrices(trace);
            List<Row> rows = simulate(trace, List.of("h2o", "streaming-llm"), List.of(0.3));
            for (String policy : List.of("h2o", "streaming-llm")) {
                PolicyChoice choice = PolicyChoice.parse(policy);
                try (TraceReplay replay = new TraceReplay(trace, backend, choice, Optional.empty(), PAGE);
                        TraceReplay held =
                                new TraceReplay(trace, backend, choice, Optional.of(new TokenBudget(0, 0.3)), PAGE)) {
                    replay.read(cut);
                    Retention once = replay.cut((int) (0.3 * cut));
                    check(row(rows, policy, Mode.CUT), matrices.judge(cut, (table, query) -> {
                        Set<Integer> found = new HashSet<>(
                                Arrays.stream(once.tokens(table, cut)).boxed().toList());
                        IntStream.rangeClosed(cut, query).forEach(found::add);
                        return found;
                    }));
                    // Step by step, with what the tables hold when the step has read them.
                    held.read(cut);
                    List<List<Set<Integer>>> found = new ArrayList<>();
                    for (int query = cut; query < trace.length(); query++) {
                        held.read(query + 1);
                        found.add(held.positions().stream()
                                .map(positions -> Set.copyOf(
                                        Arrays.stream(positions).boxed().toList()))
                                .toList());
                    }
                    check(
                            row(rows, policy, Mode.HELD),
                            matrices.judge(
                                    cut,
                                    (table, query) -> found.get(query - cut).get(table)));
                }
            }
        }
    }

    private static void check(Row row, double[] expected) {
        assertThat(row.hitRate()).isCloseTo(expected[0], within(1e-9));
        assertThat(row.mass()).isCloseTo(expected[1], within(1e-5));
        assertThat(row.mass()).isLessThan(0.99);
    }

    private static Row row(List<Row> rows, String policy, Mode mode) {
        return rows.stream()
                .filter(row -> row.policy().equals(policy) && row.mode() == mode)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void theClairvoyantIsNaivelyTheBestAndNobodyIsBetter() {
        try (Trace trace = Trace.open(file)) {
            List<String> policies =
                    List.of("h2o", "tova", "snapkv", "lru", "keydiff", "knorm", "adakv", "pyramid(h2o)");
            List<Row> rows = simulate(trace, policies, List.of(1.0, 0.5, 0.25));
            assertThat(rows).hasSize(3 * (2 + 2 * policies.size()));
            for (Row row : rows) {
                assertThat(row.massOfBound()).as(row.toString()).isBetween(0.0, 1 + 1e-9);
                assertThat(row.hitRateOfBound()).as(row.toString()).isBetween(0.0, 1.0);
                assertThat(row.massGap()).as(row.toString()).isGreaterThan(-1e-9);
                // Who shares out unevenly takes from some what others have no use for.
                boolean even = !row.policy().matches("adakv.*|pyramid.*");
                if (row.budget() == 1 && row.mode() == Mode.CUT && even) {
                    assertThat(row.hitRate()).isEqualTo(1);
                    assertThat(row.mass()).isCloseTo(1, within(1e-6));
                    assertThat(row.kept()).isEqualTo(1);
                }
            }
            Matrices matrices = new Matrices(trace);
            int tokens = cut / 4;
            double mass = matrices.judge(cut, (table, query) -> {
                double[][] shares = matrices.shares[table];
                Set<Integer> kept = new HashSet<>();
                IntStream.range(0, cut).filter(t -> t < 4 || t >= cut - 32).forEach(kept::add);
                IntStream.range(0, cut)
                        .boxed()
                        .filter(t -> t >= 4 && t < cut - 32)
                        .sorted((a, b) -> Double.compare(future(shares, b), future(shares, a)))
                        .limit(tokens - 36)
                        .forEach(kept::add);
                IntStream.rangeClosed(cut, query).forEach(kept::add);
                return kept;
            })[1];
            Row belady = rows.stream()
                    .filter(row -> row.policy().equals("belady") && row.budget() == 0.25)
                    .findFirst()
                    .orElseThrow();
            assertThat(belady.mass()).isCloseTo(mass, within(1e-5));
        }
    }

    private static double future(double[][] shares, int token) {
        return IntStream.range(cut, shares.length)
                .mapToDouble(query -> shares[query][token])
                .sum();
    }

    @Test
    void aPolicyThatReadsLessIsJudgedByWhatItReads() {
        try (Trace trace = Trace.open(file)) {
            List<Row> rows = simulate(trace, List.of("quest:dense-layers=0"), List.of(1.0, 0.25));
            List<Row> quest = rows.stream().filter(row -> !row.isBound()).toList();
            assertThat(quest).allMatch(row -> row.mode() == Mode.READ).hasSize(2);
            assertThat(quest.getFirst().hitRate()).isEqualTo(1);
            assertThat(quest.getFirst().mass()).isCloseTo(1, within(1e-6));
            assertThat(quest.getFirst().kept()).isEqualTo(1);
            Row quarter = quest.getLast();
            assertThat(quarter.kept()).isBetween(0.2, 0.3);
            try (Backend backend = backend();
                    TraceReplay replay = new TraceReplay(
                            trace, backend, Simulation.reading("quest:dense-layers=0", 0.25), Optional.empty(), PAGE)) {
                replay.read(cut);
                TokensRead read = replay.readNoting(trace.length());
                double[] expected = new Matrices(trace)
                        .judge(
                                cut,
                                (table, query) -> Set.copyOf(Arrays.stream(read.tokens(table, query))
                                        .boxed()
                                        .toList()));
                check(quarter, expected);
            }
        }
    }

    @Test
    void theCommandWritesTablesAndPictures() throws IOException {
        Path out = directory.resolve("out");
        Program program = Program.run(
                "simulate", "--trace", file, "--policies", "h2o; keydiff", "--budgets", "0.5,0.25", "--out", out);
        assertThat(program.err()).isEmpty();
        assertThat(program.exitCode()).isZero();
        assertThat(program.out().lines()).allMatch(line -> line.length() <= 120);
        assertThat(program.out())
                .contains("cut after " + cut + ", 20 steps judged")
                .containsPattern("(?m)^belady +cut +50\\.0% +49\\.8% +\\d\\.\\d{4} +\\d\\.\\d{4}$")
                .containsPattern("(?m)^keydiff +cut +25\\.0% ")
                .containsPattern("(?m)^ +1 +\\d+\\.\\d% +\\d+\\.\\d% +\\d+\\.\\d%$");
        assertThat(Files.readString(out.resolve("simulate.json")))
                .contains("\"hit_rate_of_bound\"")
                .contains("\"predicted\"");
        for (String picture : List.of("simulate-hits.png", "simulate-mass.png", "simulate-reuse.png")) {
            assertThat(out.resolve(picture)).isNotEmptyFile();
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--policies  | lfu   | --policies 'lfu'",
                "--policies  | h2o:x | --policies",
                "--budgets   | 0     | --budgets must be shares above 0 and up to 1, not 0.0",
                "--budgets   | 0.01  | --budgets 0.01: ",
                "--cut       | x     | --cut must be a number of tokens, prompt or prompt-N, not 'x'",
                "--cut       | 99999 | --cut 99999: nothing comes after 99999 tokens in ",
                "--cut       | prompt-999 | --cut prompt-999: the prompt of ",
                "--policies  | kvzip | --policies kvzip: has the model read text again",
                "--policies  | duo   | --policies duo: needs a calibration of the model",
                "--policies  | flexgen | --policies flexgen: forgets nothing",
                "--page-tokens | 8   | --page-tokens must be a positive multiple of 16, not 8",
            })
    void wrongOptionsAreOneLine(String option, String value, String message) {
        Program program = Program.run("simulate", "--trace", file, option, value);
        assertThat(program.exitCode()).isEqualTo(2);
        assertThat(program.out()).isEmpty();
        assertThat(program.err().strip()).startsWith("pikv4j-bench: " + message).doesNotContain("\n");
    }

    @Test
    void damagedTracesAreOneLine() throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        Path damaged = directory.resolve("damaged.trace");
        for (int length : new int[] {0, 50, bytes.length - 1}) {
            Files.write(damaged, Arrays.copyOf(bytes, length));
            check(damaged);
        }
        Arrays.fill(bytes, bytes.length / 2, bytes.length, (byte) 0xff);
        Files.write(damaged, bytes);
        check(damaged);
        check(MODEL.resolve("model.safetensors"));
        check(directory.resolve("missing"));
    }

    private static void check(Path damaged) {
        Program program = Program.run("simulate", "--trace", damaged, "--policies", "h2o", "--budgets", "0.5");
        assertThat(program.exitCode()).as(program.err()).isEqualTo(2);
        assertThat(program.out()).isEmpty();
        assertThat(program.err().strip())
                .startsWith("pikv4j-bench: " + damaged + ": ")
                .doesNotContain("\n");
    }
}
