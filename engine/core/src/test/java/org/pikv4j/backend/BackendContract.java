package org.pikv4j.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.pikv4j.TestSeeds;
import org.pikv4j.attention.AttentionPlan;
import org.pikv4j.attention.Partials;
import org.pikv4j.attention.Reading;
import org.pikv4j.attention.ShardQuery;
import org.pikv4j.attention.ShardWork;
import org.pikv4j.cache.compression.Basis;
import org.pikv4j.cache.compression.Codec;
import org.pikv4j.cache.compression.Codecs;
import org.pikv4j.cache.compression.HalfForm;
import org.pikv4j.cache.compression.HalfShape;
import org.pikv4j.cache.compression.PageForm;
import org.pikv4j.cache.routing.Candidates;
import org.pikv4j.cache.routing.PageRouter;
import org.pikv4j.cache.scheduling.AttentionWatcher;
import org.pikv4j.cache.scheduling.ObservedAttention;
import org.pikv4j.cache.storage.CacheLayout;
import org.pikv4j.cache.storage.Page;
import org.pikv4j.cache.storage.PageLayout;
import org.pikv4j.cache.storage.PagePool;
import org.pikv4j.cache.storage.PageRoom;
import org.pikv4j.cache.storage.PageTable;
import org.pikv4j.cache.storage.Residual;
import org.pikv4j.cache.storage.SequenceCache;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.model.Linear;
import org.pikv4j.model.RopeSpec;
import org.pikv4j.model.SwiGlu;
import org.pikv4j.tensor.DType;
import org.pikv4j.tensor.Tensor;

/**
 * What every backend must compute, against definitions in double precision: odd sizes, extremes, and a tolerance that
 * grows with the length of the sums (after Lucene's TestVectorUtilSupport).
 */
public abstract class BackendContract {
    private final long seed = TestSeeds.seed();
    private final SplittableRandom random = new SplittableRandom(seed);
    private final Arena arena = Arena.ofShared();
    private Backend backend;
    private String message = "";

    /**
     * @param threads threads that compute
     * @return the backend under test
     */
    protected abstract Backend open(int threads);

    @BeforeEach
    void open(TestInfo info) {
        message = info.getDisplayName() + ", " + TestSeeds.repeat(seed);
        backend = open(2);
    }

    @AfterEach
    void close() {
        backend.close();
        arena.close();
    }

    private Tensor tensor(DType dtype, int out, int in) {
        MemorySegment data = arena.allocate((long) out * in * dtype.bytes() + 1).asSlice(1);
        float factor = (float) (1 / Math.sqrt(in));
        float[] values = TestSeeds.normal(random, out * in);
        for (int i = 0; i < values.length; i++) {
            dtype.write(data, (long) i * dtype.bytes(), values[i] * factor);
        }
        return new Tensor("w", dtype, List.of((long) out, (long) in), data);
    }

    private static double[] product(Tensor weight, float[] x, int row) {
        int in = weight.dim(1);
        float[] w = weight.toFloats();
        double[] y = new double[weight.dim(0)];
        for (int o = 0; o < y.length; o++) {
            for (int k = 0; k < in; k++) {
                y[o] += (double) w[o * in + k] * x[row * in + k];
            }
        }
        return y;
    }

    private void close(float actual, double expected, double terms, String what) {
        double tolerance = 4e-7 * Math.sqrt(terms) * (1 + Math.abs(expected)) * 4;
        assertThat((double) actual).as(what + ", " + message).isCloseTo(expected, within(tolerance));
    }

    @Test
    void projects() {
        int[] widths = {1, 3, 8, 15, 16, 17, 31, 64, 80, 100, 129, 1024};
        for (DType dtype : DType.values()) {
            for (int in : widths) {
                int rows = List.of(1, 2, 3, 4, 5, 9, 33).get(random.nextInt(7));
                List<Linear> maps = new ArrayList<>();
                List<float[]> outs = new ArrayList<>();
                for (int out : new int[] {1, 2 + random.nextInt(5), 40 + random.nextInt(60)}) {
                    DType type = random.nextInt(4) == 0 ? DType.F32 : dtype;
                    float[] bias = random.nextBoolean() ? TestSeeds.normal(random, out) : new float[0];
                    maps.add(new Linear(tensor(type, out, in), bias));
                    outs.add(new float[rows * out + 3]);
                }
                float[] x = TestSeeds.normal(random, rows * in);
                float[] before = x.clone();
                backend.project(rows, x, maps, outs);
                assertThat(x).isEqualTo(before);
                for (int m = 0; m < maps.size(); m++) {
                    int out = maps.get(m).out();
                    for (int row = 0; row < rows; row++) {
                        double[] y = product(maps.get(m).weight(), x, row);
                        for (int o = 0; o < out; o++) {
                            float[] bias = maps.get(m).bias();
                            double expected = y[o] + (bias.length == 0 ? 0 : bias[o]);
                            close(outs.get(m)[row * out + o], expected, in, dtype + " " + rows + "x" + in + "x" + out);
                        }
                    }
                    assertThat(Arrays.copyOfRange(outs.get(m), rows * out, rows * out + 3))
                            .containsOnly(0f);
                }
            }
        }
    }

    @Test
    void normalises() {
        for (int width : new int[] {1, 7, 16, 33, 128, 1000}) {
            for (float size : new float[] {1e-6f, 1f, 1e6f}) {
                int rows = 1 + random.nextInt(70);
                float[] x = TestSeeds.normal(random, rows * width);
                for (int i = 0; i < x.length; i++) {
                    x[i] *= size;
                }
                float[] weight = TestSeeds.normal(random, width);
                float[] out = random.nextBoolean() ? x : new float[x.length];
                float[] in = x.clone();
                backend.normalise(rows, x, weight, 1e-5f, out);
                for (int row = 0; row < rows; row++) {
                    double sum = 0;
                    for (int i = 0; i < width; i++) {
                        sum += (double) in[row * width + i] * in[row * width + i];
                    }
                    double factor = 1 / Math.sqrt(sum / width + 1e-5f);
                    for (int i = 0; i < width; i++) {
                        close(out[row * width + i], in[row * width + i] * factor * weight[i], width, "norm " + width);
                    }
                }
            }
        }
    }

    @Test
    void rotates() {
        int rows = 11;
        int heads = 3;
        int headDim = 20;
        for (int pairs : new int[] {0, 4, 10}) {
            float[] x = TestSeeds.normal(random, rows * heads * headDim);
            float[] in = x.clone();
            float[] cos = TestSeeds.normal(random, rows * pairs);
            float[] sin = TestSeeds.normal(random, rows * pairs);
            backend.rotate(rows, heads, headDim, x, pairs, cos, sin);
            for (int row = 0; row < rows; row++) {
                for (int head = 0; head < heads; head++) {
                    int at = (row * heads + head) * headDim;
                    for (int i = 0; i < headDim; i++) {
                        int pair = i % Math.max(1, pairs);
                        double expected = in[at + i];
                        if (i < pairs) {
                            expected = (double) in[at + i] * cos[row * pairs + pair]
                                    - (double) in[at + i + pairs] * sin[row * pairs + pair];
                        } else if (i < 2 * pairs) {
                            expected = (double) in[at + i] * cos[row * pairs + pair]
                                    + (double) in[at + i - pairs] * sin[row * pairs + pair];
                        }
                        close(x[at + i], expected, 2, "rope of " + pairs);
                    }
                }
            }
        }
    }

    @Test
    void runsExperts() {
        for (int round = 0; round < 12; round++) {
            DType dtype = List.of(DType.BF16, DType.F32, DType.F16).get(round % 3);
            int hidden = 3 + random.nextInt(130);
            int width = 3 + random.nextInt(200);
            int experts = 1 + random.nextInt(9);
            int perRow = 1 + random.nextInt(Math.min(3, experts));
            int rows = round < 6 ? 1 : 1 + random.nextInt(30);
            List<SwiGlu> weights = new ArrayList<>();
            for (int e = 0; e < experts; e++) {
                weights.add(new SwiGlu(
                        maybeBiased(tensor(mostly(dtype), width, hidden)),
                        maybeBiased(tensor(mostly(dtype), width, hidden)),
                        maybeBiased(tensor(mostly(dtype), hidden, width))));
            }
            float[] x = TestSeeds.normal(random, rows * hidden);
            float[] out = TestSeeds.normal(random, rows * hidden);
            double[] expected = new double[out.length];
            for (int i = 0; i < out.length; i++) {
                expected[i] = out[i];
            }
            ExpertAssignment assignment = new ExpertAssignment();
            assignment.begin(rows, perRow);
            for (int row = 0; row < rows; row++) {
                int first = random.nextInt(experts);
                for (int rank = 0; rank < perRow; rank++) {
                    int expert = (first + rank) % experts;
                    float weight = (float) random.nextDouble();
                    assignment.choose(row, rank, expert, weight);
                    swiGlu(weights.get(expert), x, row, weight, expected);
                }
            }
            assignment.sort(experts);
            backend.experts(x, assignment, weights, out);
            for (int i = 0; i < out.length; i++) {
                close(out[i], expected[i], hidden + width, "experts " + hidden + "x" + width + " " + dtype);
            }
        }
    }

    /** Files may mix types as they like. */
    private DType mostly(DType dtype) {
        return random.nextInt(6) == 0 ? List.of(DType.values()).get(random.nextInt(3)) : dtype;
    }

    private Linear maybeBiased(Tensor weight) {
        return random.nextBoolean() ? new Linear(weight) : new Linear(weight, TestSeeds.normal(random, weight.dim(0)));
    }

    private static double[] apply(Linear map, float[] x, int row) {
        double[] y = product(map.weight(), x, row);
        for (int o = 0; o < map.bias().length; o++) {
            y[o] += map.bias()[o];
        }
        return y;
    }

    private static void swiGlu(SwiGlu weights, float[] x, int row, float weight, double[] out) {
        double[] gate = apply(weights.gate(), x, row);
        double[] up = apply(weights.up(), x, row);
        float[] down = weights.down().weight().toFloats();
        float[] bias = weights.down().bias();
        int width = gate.length;
        int hidden = weights.down().out();
        for (int o = 0; o < hidden; o++) {
            double sum = bias.length == 0 ? 0 : bias[o];
            for (int k = 0; k < width; k++) {
                sum += down[o * width + k] * (gate[k] / (1 + Math.exp(-gate[k])) * up[k]);
            }
            out[row * hidden + o] += weight * sum;
        }
    }

    /** A codec of somebody's own, of which no backend knows the bits: 24-bit fixed point, columns backwards. */
    private record FixedPoint() implements Codec {
        private static final float ONE = 1 << 12;

        @Override
        public String name() {
            return "fixed";
        }

        @Override
        public int bytes(HalfShape shape) {
            return 3 * shape.elements() / 2 + 8;
        }

        @Override
        public void encode(HalfShape shape, float[] in, MemorySegment out) {
            for (int i = 0; i < shape.elements(); i++) {
                int code = Math.clamp(Math.round(in[i] * 16), -2047, 2047) + 2048;
                long at = i * 12L;
                for (int b = 0; b < 12; b += 4) {
                    long nibble = (at + b) / 4;
                    int before = out.get(ValueLayout.JAVA_BYTE, nibble / 2);
                    int shift = (int) (nibble % 2) * 4;
                    int cleared = before & ~(15 << shift);
                    out.set(ValueLayout.JAVA_BYTE, nibble / 2, (byte) (cleared | (code >> b & 15) << shift));
                }
            }
        }

        @Override
        public void decode(HalfShape shape, MemorySegment in, float[] out) {
            for (int i = 0; i < shape.elements(); i++) {
                int code = 0;
                for (int n = 0; n < 3; n++) {
                    long nibble = i * 3L + n;
                    int bits = in.get(ValueLayout.JAVA_BYTE, nibble / 2) >> (nibble % 2 * 4) & 15;
                    code |= bits << (4 * n);
                }
                out[i] = (code - 2048) / 16f;
            }
        }
    }

    /** A basis of a lower rank, with a bias: nothing about it is orthogonal. */
    private Basis basis(int headDim) {
        int rank = 1 + random.nextInt(headDim);
        return new Basis(
                "any",
                headDim,
                rank,
                scaled(rank * headDim, headDim),
                scaled(rank * headDim, rank),
                random.nextBoolean() ? TestSeeds.normal(random, headDim) : new float[0]);
    }

    private float[] scaled(int count, int terms) {
        float[] values = TestSeeds.normal(random, count);
        for (int i = 0; i < count; i++) {
            values[i] /= (float) Math.sqrt(terms);
        }
        return values;
    }

    private HalfForm half(int headDim) {
        List<Codec> codecs = new ArrayList<>(Codecs.builtIn());
        codecs.add(Codecs.named("chunk-pca:4"));
        codecs.add(new FixedPoint());
        Codec codec = codecs.get(random.nextInt(codecs.size()));
        return new HalfForm(codec, random.nextInt(3) == 0 ? Optional.of(basis(headDim)) : Optional.empty());
    }

    @Test
    void attends() {
        int[] headDims = {8, 16, 20, 32, 64, 80, 96, 128, 192, 256};
        int[] pageTokens = {16, 32, 48, 64};
        int[] groups = {1, 2, 3, 4, 8};
        for (int round = 0; round < 192; round++) {
            int headDim = headDims[random.nextInt(headDims.length)];
            int group = groups[random.nextInt(groups.length)];
            int kvHeads = 1 + random.nextInt(3);
            int window = random.nextInt(3) == 0 ? 1 + random.nextInt(60) : AttentionSpec.FULL;
            int tokens = pageTokens[random.nextInt(pageTokens.length)];
            PageRoom room =
                    List.of(PageRoom.POSITIONS, PageRoom.NONE, PageRoom.BOUNDS).get(random.nextInt(3));
            PageForm exact = new PageForm(round % 2 == 0 ? Codecs.F32 : Codecs.BF16);
            PageLayout open = new PageLayout(exact, tokens, headDim, room);
            List<PageLayout> sealed = new ArrayList<>();
            for (int head = 0; head < kvHeads; head++) {
                PageForm form = new PageForm(half(headDim), half(headDim));
                sealed.add(round % 4 == 0 ? open : new PageLayout(form, tokens, headDim, room));
            }
            AttentionSpec spec = spec(kvHeads * group, kvHeads, headDim, window);
            float spread = round % 5 == 0 ? 40f : 1f;
            String forms = sealed.stream().map(page -> page.form().name()).collect(Collectors.joining(" "));
            String what = "forms " + forms + ", " + spec + ", pages of " + tokens;
            attend(spec, new CacheLayout.Layer(open, sealed, window), spread, what);
        }
    }

    /** Chooses blocks at random, and knows what it chose. */
    private final class Picks implements PageRouter {
        final List<Candidates> asked = new ArrayList<>();
        final List<Set<Integer>> chosen = new ArrayList<>();
        final int dense;

        Picks(int dense) {
            this.dense = dense;
        }

        @Override
        public String name() {
            return "picks";
        }

        @Override
        public boolean bounds() {
            return true;
        }

        @Override
        public int choosesFrom(int layer, int prompt) {
            return dense + prompt;
        }

        @Override
        public int[] read(Candidates candidates) {
            assertThat(candidates.rows()).isEqualTo(1);
            double share = random.nextDouble();
            int last = candidates.count() - 1;
            int[] blocks = IntStream.rangeClosed(0, last)
                    .filter(block -> block == last || random.nextDouble() < share)
                    .toArray();
            Set<Integer> positions = new TreeSet<>();
            for (int block : blocks) {
                assertThat(candidates.last(block) - candidates.first(block) + 1).isEqualTo(candidates.tokens(block));
                IntStream.rangeClosed(candidates.first(block), candidates.last(block))
                        .forEach(positions::add);
            }
            asked.add(candidates);
            chosen.add(positions);
            return blocks;
        }
    }

    @Test
    void attendsToEveryCodecAsToItsDecodedValues() {
        for (Codec codec : Codecs.builtIn()) {
            for (int headDim : new int[] {32, 64, 80, 96, 128, 192, 256}) {
                for (int tokens : new int[] {16, 32, 64}) {
                    PageLayout open = new PageLayout(new PageForm(Codecs.BF16), tokens, headDim);
                    PageLayout sealed = new PageLayout(new PageForm(codec), tokens, headDim);
                    for (int rows : new int[] {1, 5}) {
                        relativeError(open, sealed, rows);
                    }
                }
            }
        }
    }

    /** Two sealed pages, and a ragged one, against attention over what they decode to. */
    private void relativeError(PageLayout open, PageLayout sealed, int rows) {
        int headDim = open.headDim();
        AttentionSpec spec = spec(3, 1, headDim, AttentionSpec.FULL);
        CacheLayout layout = new CacheLayout(
                List.of(new CacheLayout.Layer(open, List.of(sealed), AttentionSpec.FULL)), new Residual(0, 0, 16));
        try (PagePool pool = new PagePool(backend.slabs(), 1L << 30);
                SequenceCache cache = new SequenceCache(layout, pool, Runnable::run)) {
            Sequence sequence = new Sequence(spec, cache);
            int before = 2 * open.tokens() + random.nextInt(open.tokens() - 5) / 16 * 16 + random.nextInt(11);
            sequence.append(before, 1f);
            sequence.extend(rows, 1f);
            sequence.readBack();
            assertThat(cache.table(0, 0).page(0).layout()).isEqualTo(sealed);
            float[] queries = TestSeeds.normal(random, rows * spec.queryWidth());
            float[] out = attendTo(cache, spec, queries, rows, before);
            for (int r = 0; r < rows; r++) {
                for (int head = 0; head < spec.heads(); head++) {
                    double[] expected = sequence.dense(queries, r, before + r, head);
                    double difference = 0;
                    double norm = 0;
                    for (int d = 0; d < headDim; d++) {
                        double actual = out[r * spec.queryWidth() + head * headDim + d];
                        difference += (actual - expected[d]) * (actual - expected[d]);
                        norm += expected[d] * expected[d];
                    }
                    assertThat(Math.sqrt(difference / norm))
                            .as(sealed.form().name() + ", head dim " + headDim + ", pages of " + open.tokens() + ", "
                                    + message)
                            .isLessThan(1e-5);
                }
            }
            cache.rollback();
        }
    }

    private static AttentionSpec spec(int heads, int kvHeads, int headDim, int window) {
        return new AttentionSpec(
                heads,
                kvHeads,
                headDim,
                (float) (1 / Math.sqrt(headDim)),
                window,
                new RopeSpec(1e4, headDim),
                AttentionSpec.QkNorm.NONE,
                Float.POSITIVE_INFINITY);
    }

    private float[] attendTo(SequenceCache cache, AttentionSpec spec, float[] queries, int rows, int position) {
        float[] out = new float[rows * spec.queryWidth()];
        AttentionPlan plan = new AttentionPlan(spec, queries, out, new Partials(spec.headDim()), 0);
        plan.add(0, rows, position, 0, cache.table(0, 0));
        backend.attend(plan);
        return out;
    }

    @Test
    void whatARowDoesNotSeeDoesNotReachIt() {
        int rows = 6;
        for (int window : new int[] {AttentionSpec.FULL, 4}) {
            for (float poison : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
                AttentionSpec spec = spec(3, 1, 32, window);
                PageLayout page = new PageLayout(new PageForm(Codecs.F32), 16, 32);
                CacheLayout layout = new CacheLayout(List.of(new CacheLayout.Layer(page, 1, window)), Residual.DEFAULT);
                try (PagePool pool = new PagePool(backend.slabs(), 1L << 30);
                        SequenceCache cache = new SequenceCache(layout, pool, Runnable::run)) {
                    float[] keys = TestSeeds.normal(random, rows * 32);
                    float[] values = TestSeeds.normal(random, rows * 32);
                    int poisoned = window == 4 ? 0 : rows - 1;
                    Arrays.fill(values, poisoned * 32, poisoned * 32 + 32, poison);
                    cache.reserve(rows);
                    backend.append(cache.tables(0), 0, rows, keys, values);
                    float[] out = attendTo(cache, spec, TestSeeds.normal(random, rows * 96), rows, 0);
                    for (int r = 0; r < rows; r++) {
                        boolean sees = poisoned <= r && poisoned > r - window;
                        for (int i = 0; i < 96; i++) {
                            assertThat(Float.isFinite(out[r * 96 + i]))
                                    .as("row %d, window %d, %s, %s", r, window, poison, message)
                                    .isEqualTo(!sees);
                        }
                    }
                    cache.rollback();
                }
            }
        }
    }

    private void attend(AttentionSpec spec, CacheLayout.Layer layer, float spread, String what) {
        // A score's rounding error grows with the keys, and so does what it does to the values.
        double tolerance = 3e-5 + 6e-6 * spread * spread;
        int residual = random.nextInt(100);
        CacheLayout layout = new CacheLayout(List.of(layer), new Residual(residual, random.nextInt(20), 64));
        List<Sequence> sequences = new ArrayList<>();
        try (PagePool pool = new PagePool(backend.slabs(), 1L << 30)) {
            int shards = random.nextInt(4);
            for (int shard = 0; shard < shards; shard++) {
                pool.addShard(backend.slabs(), 1L << 28);
            }
            for (int s = 1 + random.nextInt(3); s > 0; s--) {
                Sequence sequence = new Sequence(spec, new SequenceCache(layout, pool, Runnable::run));
                int before = random.nextInt(4) == 0 ? 1100 + random.nextInt(1200) : random.nextInt(150);
                sequence.append(before, spread);
                sequence.evict();
                sequences.add(sequence);
            }
            int rows = 0;
            for (Sequence sequence : sequences) {
                int wanted = random.nextInt(3) == 0 ? 1 + random.nextInt(40) : 1;
                sequence.rows = Math.min(wanted, sequence.cache.rowsToNextChange());
                rows += sequence.rows;
            }
            float[] queries = TestSeeds.normal(random, rows * spec.queryWidth());
            float[] out = new float[rows * spec.queryWidth()];
            Optional<Picks> picks =
                    layer.open().hasBounds() ? Optional.of(new Picks(random.nextInt(1500))) : Optional.empty();
            AttentionPlan plan = new AttentionPlan(spec, queries, out, new Partials(spec.headDim()), 0);
            int row = 0;
            for (Sequence sequence : sequences) {
                int position = sequence.cache.length();
                sequence.extend(sequence.rows, spread);
                sequence.place(shards);
                sequence.readBack();
                sequence.watchedFrom = position + random.nextInt(sequence.rows + 1);
                for (int head = 0; head < spec.kvHeads(); head++) {
                    PageTable table = sequence.cache.table(0, head);
                    plan.add(row, sequence.rows, position, head, table, new Reading(20, picks, List.of(sequence)));
                }
                row += sequence.rows;
            }
            backend.attend(plan);
            for (ShardQuery query : plan.asked()) {
                ShardWork work = new ShardWork(query, new Partials(spec.headDim()));
                backend.attend(work);
                plan.answer(query, work.answer());
            }
            plan.observed().forEach(ObservedAttention::report);
            row = 0;
            for (Sequence sequence : sequences) {
                sequence.noteRead(plan, queries, row, picks);
                row += sequence.rows;
            }
            row = 0;
            for (Sequence sequence : sequences) {
                sequence.checkWatched(queries, row, spread, what);
                row += sequence.rows;
            }
            row = 0;
            for (Sequence sequence : sequences) {
                for (int r = 0; r < sequence.rows; r++, row++) {
                    for (int head = 0; head < spec.heads(); head++) {
                        double[] expected = sequence.dense(queries, row, sequence.cache.length() + r, head);
                        for (int d = 0; d < spec.headDim(); d++) {
                            float actual = out[row * spec.queryWidth() + head * spec.headDim() + d];
                            assertThat((double) actual)
                                    .as(what + ", " + message)
                                    .isCloseTo(expected[d], within(tolerance));
                        }
                    }
                }
                sequence.cache.close();
            }
        }
    }

    /** A sequence whose keys and values, as its pages hold them, are also at hand as plain rows. */
    private final class Sequence implements AttentionWatcher {
        final AttentionSpec spec;
        final SequenceCache cache;
        final List<float[]> keys = new ArrayList<>(); // (token)(kvHead, headDim)
        final List<float[]> values = new ArrayList<>();
        final List<Set<Integer>> evicted = new ArrayList<>(); // positions, by KV head
        final List<float[]> computed = new ArrayList<>(); // keys before any page had them
        final Map<Integer, Set<Integer>> read = new HashMap<>(); // positions, by row of the batch and KV head
        final List<ObservedAttention> seen = new ArrayList<>();
        int rows;
        int watchedFrom;

        Sequence(AttentionSpec spec, SequenceCache cache) {
            this.spec = spec;
            this.cache = cache;
            for (int head = 0; head < spec.kvHeads(); head++) {
                evicted.add(new HashSet<>());
            }
        }

        @Override
        public int watchedFrom() {
            return watchedFrom;
        }

        @Override
        public void watch(ObservedAttention attention) {
            seen.add(attention);
        }

        /** Some tokens, of each head others, where there is room for positions. */
        void evict() {
            for (int head = 0; head < spec.kvHeads(); head++) {
                PageTable table = cache.table(0, head);
                BitSet kept = new BitSet();
                double share = random.nextDouble();
                int token = 0;
                for (int p = 0; p < table.evictablePages(); p++) {
                    for (int slot = 0; slot < table.tokens(p); slot++, token++) {
                        if (random.nextDouble() < share) {
                            kept.set(token);
                        } else {
                            evicted.get(head).add(table.page(p).position(slot));
                        }
                    }
                }
                cache.keep(0, head, kept);
            }
        }

        /** Some pages go to shards. */
        void place(int shards) {
            for (int head = 0; head < spec.kvHeads(); head++) {
                PageTable table = cache.table(0, head);
                for (int page = 0; page < table.size(); page++) {
                    int shard = Page.HERE + random.nextInt(shards + 1);
                    if (table.placeable(page)) {
                        assertThat(cache.place(0, head, page, shard)).isTrue();
                        assertThat(table.page(page).shard()).isEqualTo(shard);
                    }
                }
            }
        }

        /** What rows read is what was chosen for them, by bounds that hold and are not too wide. */
        void noteRead(AttentionPlan plan, float[] queries, int firstRow, Optional<Picks> picks) {
            for (int head = 0; head < spec.kvHeads(); head++) {
                for (int r = 0; r < rows; r++) {
                    int position = cache.length() + r;
                    Set<Integer> positions = new TreeSet<>();
                    Arrays.stream(plan.read(firstRow + r, head)).forEach(positions::add);
                    read.put((firstRow + r) * spec.kvHeads() + head, positions);
                    if (picks.isPresent() && position >= picks.get().choosesFrom(0, 20)) {
                        Set<Integer> chosen = picks.get().chosen.removeFirst();
                        chosen.removeIf(t -> position - t >= spec.window());
                        assertThat(positions).as(message).isEqualTo(chosen);
                        checkBounds(picks.get().asked.removeFirst(), queries, firstRow + r, head);
                    }
                }
            }
        }

        private void checkBounds(Candidates blocks, float[] queries, int row, int kvHead) {
            for (int block = 0; block < blocks.count(); block++) {
                // Rows of the same batch behind this one are there already; rounding outwards takes 1/128.
                int first = blocks.first(block);
                int end = Math.min(computed.size(), first + PageLayout.BOUNDED_TOKENS);
                for (int g = 0; g < spec.group(); g++) {
                    int query = row * spec.queryWidth() + (kvHead * spec.group() + g) * spec.headDim();
                    double least = 0;
                    double most = 0;
                    for (int d = 0; d < spec.headDim(); d++) {
                        double q = queries[query + d] * spec.scale();
                        double bound = Double.NEGATIVE_INFINITY;
                        double size = 0;
                        for (int t = first; t < end; t++) {
                            float key = computed.get(t)[kvHead * spec.headDim() + d];
                            bound = Math.max(bound, q * key);
                            size = Math.max(size, Math.abs(q * key));
                        }
                        least += bound;
                        most += bound + size / 64;
                    }
                    assertThat((double) blocks.bound(block, g))
                            .as(message)
                            .isBetween(least - 1e-4 * (1 + Math.abs(least)), most + 1e-4 * (1 + Math.abs(most)));
                }
            }
        }

        /** The attention shown against that by its definition, row by row and head by head. */
        void checkWatched(float[] queries, int firstRow, float spread, String what) {
            int rowsSeen = 0;
            for (ObservedAttention attention : seen) {
                int head = 0;
                while (!cache.table(0, head).equals(attention.table())) {
                    head++;
                }
                double[] expected = new double[keys.size()];
                for (int r = 0; r < attention.rows(); r++) {
                    int row = firstRow + attention.position() - cache.length() + r;
                    for (int g = 0; g < spec.group(); g++) {
                        int position = attention.position() + r;
                        double[] weights = weights(queries, row, position, head * spec.group() + g);
                        for (int t = 0; t <= position; t++) {
                            expected[t] += weights[t] / spec.group();
                        }
                    }
                }
                int token = 0;
                for (int p = 0; p < attention.table().size(); p++) {
                    for (int slot = 0; slot < attention.table().tokens(p); slot++, token++) {
                        assertThat((double) attention.received()[token])
                                .as(what + ", " + message)
                                .isCloseTo(
                                        expected[attention.table().page(p).position(slot)],
                                        within(attention.rows() * (1e-5 + 4e-6 * spread * spread)));
                    }
                }
                assertThat(token).isEqualTo(attention.received().length);
                rowsSeen += attention.rows();
            }
            assertThat(rowsSeen).isEqualTo((cache.length() + rows - watchedFrom) * spec.kvHeads());
        }

        void append(int count, float spread) {
            for (int left = count; left > 0; ) {
                int chunk = Math.min(left, cache.rowsToNextChange());
                extend(chunk, spread);
                cache.commit(chunk);
                left -= chunk;
            }
        }

        void extend(int count, float spread) {
            float[] newKeys = TestSeeds.normal(random, count * spec.kvWidth());
            float[] newValues = TestSeeds.normal(random, count * spec.kvWidth());
            for (int i = 0; i < newKeys.length; i++) {
                newKeys[i] *= spread;
                newValues[i] *= spread;
            }
            cache.reserve(count);
            backend.append(cache.tables(0), 0, count, newKeys, newValues);
            for (int r = 0; r < count; r++) {
                keys.add(Arrays.copyOfRange(newKeys, r * spec.kvWidth(), (r + 1) * spec.kvWidth()));
                computed.add(keys.getLast().clone());
                values.add(Arrays.copyOfRange(newValues, r * spec.kvWidth(), (r + 1) * spec.kvWidth()));
            }
        }

        /** Replaces the rows by what the pages hold; in pages that were not sealed they must be what was appended. */
        void readBack() {
            for (int head = 0; head < spec.kvHeads(); head++) {
                PageTable table = cache.table(0, head);
                for (int p = 0; p < table.size(); p++) {
                    Page page = table.page(p);
                    PageForm form = page.layout().form();
                    float[] k = new float[page.layout().tokens() * spec.headDim()];
                    float[] v = new float[k.length];
                    form.keys().decode(page.layout().keyShape(), page.keys(), spec.headDim(), k);
                    form.values().decode(page.layout().valueShape(), page.values(), spec.headDim(), v);
                    boolean exact = page.layout().equals(table.layout());
                    for (int t = 0; t < table.tokens(p); t++) {
                        replace(keys.get(page.position(t)), head, k, t, exact);
                        replace(values.get(page.position(t)), head, v, t, exact);
                    }
                }
            }
        }

        private void replace(float[] row, int head, float[] held, int token, boolean exact) {
            for (int d = 0; d < spec.headDim(); d++) {
                int at = head * spec.headDim() + d;
                float value = held[token * spec.headDim() + d];
                if (exact) {
                    assertThat(value).as(message).isCloseTo(row[at], within(Math.abs(row[at]) / 256));
                }
                row[at] = value;
            }
        }

        /** The probability of each token by its definition, over full lists. */
        double[] weights(float[] queries, int row, int position, int head) {
            int headDim = spec.headDim();
            int at = head / spec.group() * headDim;
            double[] weights = new double[position + 1];
            double max = Double.NEGATIVE_INFINITY;
            for (int t = 0; t <= position; t++) {
                for (int d = 0; d < headDim; d++) {
                    weights[t] += (double) queries[row * spec.queryWidth() + head * headDim + d] * keys.get(t)[at + d];
                }
                weights[t] *= spec.scale();
                Set<Integer> attended = read.get(row * spec.kvHeads() + head / spec.group());
                boolean unseen = position - t >= spec.window()
                        || evicted.get(head / spec.group()).contains(t)
                        || (attended != null && !attended.contains(t));
                weights[t] = unseen ? Double.NEGATIVE_INFINITY : weights[t];
                max = Math.max(max, weights[t]);
            }
            double total = 0;
            for (int t = 0; t <= position; t++) {
                weights[t] = Math.exp(weights[t] - max);
                total += weights[t];
            }
            for (int t = 0; t <= position; t++) {
                weights[t] /= total;
            }
            return weights;
        }

        /** Attention by its definition. */
        double[] dense(float[] queries, int row, int position, int head) {
            int at = head / spec.group() * spec.headDim();
            double[] weights = weights(queries, row, position, head);
            double[] out = new double[spec.headDim()];
            for (int t = 0; t <= position; t++) {
                for (int d = 0; d < out.length; d++) {
                    out[d] += weights[t] * values.get(t)[at + d];
                }
            }
            return out;
        }
    }

    @Test
    void doesNotDependOnTheNumberOfThreads() {
        Tensor weight = tensor(DType.BF16, 300, 200);
        float[] x = TestSeeds.normal(random, 7 * 200);
        float[] two = new float[7 * 300];
        backend.project(7, x, List.of(new Linear(weight)), List.of(two));
        for (int threads : new int[] {1, 3, 5}) {
            try (Backend other = open(threads)) {
                assertThat(other.threads()).isEqualTo(threads);
                float[] out = new float[7 * 300];
                other.project(7, x, List.of(new Linear(weight)), List.of(out));
                assertThat(out).isEqualTo(two);
            }
        }
    }
}
