package org.pikv4j.bench.jmh;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.pikv4j.backend.Backend;

/** Attention of the newest rows to a sequence of pages: one row is a decode step, many are a prefill chunk. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 1,
        jvmArgsAppend = {"--add-modules", "jdk.incubator.vector"})
public class AttentionBenchmark {
    @Param({"scalar", "vector"})
    public String backend = "";

    @Param({"bf16", "f32"})
    public String form = "";

    @Param({"4096", "16384"})
    public int tokens;

    @Param({"1", "256"})
    public int rows;

    private float[] queries = {};
    private float[] out = {};
    private int next;

    @SuppressWarnings("NullAway.Init") // JMH calls setUp first
    private Backend opened;

    @SuppressWarnings("NullAway.Init")
    private CacheState cache;

    @Setup
    public void setUp() {
        opened = Kernels.open(backend);
        cache = new CacheState(opened, form, tokens, CacheState.layersFor(form, tokens));
        queries = Kernels.random(rows * CacheState.SPEC.queryWidth(), 5);
        out = new float[rows * CacheState.SPEC.queryWidth()];
        check();
    }

    private void check() {
        float[] expected = new float[out.length];
        try (Backend oracle = Kernels.open(Kernels.ORACLE)) {
            oracle.attend(cache.plan(0, queries, rows, expected));
        }
        opened.attend(cache.plan(0, queries, rows, out));
        Kernels.requireClose(expected, out, out.length);
    }

    @Benchmark
    public float[] attend(Work work) {
        opened.attend(cache.plan(next, queries, rows, out));
        next = (next + 1) % cache.layers;
        double seen = (tokens - rows) * (double) rows + rows * (rows + 1) / 2.0; // (query, token) pairs
        int headDim = CacheState.SPEC.headDim();
        work.add(
                2.0 * tokens * CacheState.SPEC.kvWidth() * (form.equals("f32") ? 4 : 2),
                4.0 * seen * CacheState.SPEC.heads() * headDim);
        return out;
    }

    @TearDown
    public void tearDown() {
        cache.close();
        opened.close();
    }
}
