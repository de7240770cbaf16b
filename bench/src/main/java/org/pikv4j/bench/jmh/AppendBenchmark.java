package org.pikv4j.bench.jmh;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
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

/** Appending a prefill chunk's keys and values to pages, in 16 layers. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 1,
        jvmArgsAppend = {"--add-modules", "jdk.incubator.vector"})
public class AppendBenchmark {
    private static final int LAYERS = 16;

    @Param({"scalar", "vector"})
    public String backend = "";

    @Param({"bf16", "f32"})
    public String form = "";

    @Param("256")
    public int rows;

    private float[] keys = {};
    private float[] values = {};

    @SuppressWarnings("NullAway.Init") // JMH calls setUp first
    private Backend opened;

    @SuppressWarnings("NullAway.Init")
    private FilledCache cache;

    @Setup
    public void setUp() {
        opened = Kernels.open(backend);
        cache = CacheState.filled(opened, CacheState.SPEC, form, CacheState.PAGE_TOKENS, LAYERS);
        keys = FilledCache.random(rows * CacheState.SPEC.kvWidth(), 6);
        values = FilledCache.random(rows * CacheState.SPEC.kvWidth(), 7);
    }

    /** Room is made outside of the measured part; a call takes about a millisecond, so that JMH can afford this. */
    @Setup(Level.Invocation)
    public void reserve() {
        cache.sequence().rollback();
        cache.sequence().reserve(rows);
    }

    @Benchmark
    public void append(Work work) {
        for (int layer = 0; layer < LAYERS; layer++) {
            opened.append(cache.sequence().tables(layer), 0, rows, keys, values);
        }
        work.add(2.0 * LAYERS * rows * CacheState.SPEC.kvWidth() * (form.equals("f32") ? 4 : 2), 0);
    }

    @TearDown
    public void tearDown() {
        cache.close();
        opened.close();
    }
}
