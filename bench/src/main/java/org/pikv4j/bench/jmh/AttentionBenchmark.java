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
import org.pikv4j.bench.FilledCache;
import org.pikv4j.model.AttentionSpec;

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

    @Param({"bf16", "f32", "fp8-e4m3", "int8", "int4", "kivi4", "kivi2", "nvfp4", "turbo3"})
    public String form = "";

    /** Whether pages are decoded before they are multiplied, rather than as they are multiplied. */
    @Param("false")
    public boolean decoded;

    @Param({"64", "128"})
    public int headDim;

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
    private FilledCache cache;

    private AttentionSpec spec = CacheState.SPEC;

    @Setup
    public void setUp() {
        spec = CacheState.spec(headDim);
        opened = Kernels.open(backend, !decoded);
        cache = CacheState.filled(opened, spec, form, tokens, CacheState.layersFor(spec, form, tokens));
        queries = FilledCache.random(rows * spec.queryWidth(), 5);
        out = new float[rows * spec.queryWidth()];
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
        next = (next + 1) % cache.layers();
        double seen = (tokens - rows) * (double) rows + rows * (rows + 1) / 2.0; // (query, token) pairs
        work.add((double) CacheState.bytes(spec, form, tokens), 4.0 * seen * spec.heads() * headDim);
        return out;
    }

    @TearDown
    public void tearDown() {
        cache.close();
        opened.close();
    }
}
