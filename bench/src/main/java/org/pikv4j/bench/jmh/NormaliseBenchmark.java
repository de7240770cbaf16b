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

/** RMSNorm of one row and of a prefill chunk. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 1,
        jvmArgsAppend = {"--add-modules", "jdk.incubator.vector"})
public class NormaliseBenchmark {
    private static final int WIDTH = 1024;
    private static final float EPSILON = 1e-5f;

    @Param({"scalar", "vector"})
    public String backend = "";

    @Param({"1", "256"})
    public int rows;

    private float[] x = {};
    private float[] weight = {};
    private float[] out = {};

    @SuppressWarnings("NullAway.Init") // JMH calls setUp first
    private Backend opened;

    @Setup
    public void setUp() {
        opened = Kernels.open(backend);
        x = FilledCache.random(rows * WIDTH, 8);
        weight = FilledCache.random(WIDTH, 9);
        out = new float[rows * WIDTH];
        float[] expected = new float[rows * WIDTH];
        try (Backend oracle = Kernels.open(Kernels.ORACLE)) {
            oracle.normalise(rows, x, weight, EPSILON, expected);
        }
        opened.normalise(rows, x, weight, EPSILON, out);
        Kernels.requireClose(expected, out, out.length);
    }

    @Benchmark
    public float[] normalise(Work work) {
        opened.normalise(rows, x, weight, EPSILON, out);
        work.add(4.0 * rows * WIDTH, 4.0 * rows * WIDTH);
        return out;
    }

    @TearDown
    public void tearDown() {
        opened.close();
    }
}
