package org.pikv4j.bench.jmh;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
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
import org.pikv4j.model.Linear;
import org.pikv4j.tensor.DType;
import org.pikv4j.tensor.Tensor;

/**
 * Weights times rows: one row is a decode step, and bound by memory; many are a prefill chunk, and bound by arithmetic.
 * The shapes (out × in) are those of preset m.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 1,
        jvmArgsAppend = {"--add-modules", "jdk.incubator.vector"})
public class MatrixBenchmark {
    @Param({"scalar", "vector"})
    public String backend = "";

    @Param({"BF16", "F32"})
    public DType dtype = DType.BF16;

    @Param({"1024x1024", "2048x1024", "1024x2048", "4096x1024"})
    public String shape = "";

    @Param({"1", "16", "256"})
    public int rows;

    private final Arena arena = Arena.ofShared();
    private final List<List<Linear>> matrices = new ArrayList<>();
    private List<float[]> outs = List.of();
    private float[] x = {};
    private int in;
    private int out;
    private int next;

    @SuppressWarnings("NullAway.Init") // JMH calls setUp first
    private Backend opened;

    @Setup
    public void setUp() {
        String[] dims = shape.split("x");
        out = Integer.parseInt(dims[0]);
        in = Integer.parseInt(dims[1]);
        x = FilledCache.random(rows * in, 1);
        outs = List.of(new float[rows * out]);
        long bytes = (long) out * in * dtype.bytes();
        float[] values = FilledCache.random(out * in, 2);
        MemorySegment first = arena.allocate(bytes, 64);
        for (int i = 0; i < values.length; i++) {
            dtype.write(first, (long) i * dtype.bytes(), values[i]);
        }
        for (int i = 0; i < Kernels.pieces(bytes); i++) {
            MemorySegment copy = i == 0 ? first : arena.allocate(bytes, 64).copyFrom(first);
            matrices.add(List.of(new Linear(new Tensor("w" + i, dtype, List.of((long) out, (long) in), copy))));
        }
        opened = Kernels.open(backend);
        check();
    }

    private void check() {
        float[] expected = new float[rows * out];
        try (Backend oracle = Kernels.open(Kernels.ORACLE)) {
            oracle.project(rows, x, matrices.getFirst(), List.of(expected));
        }
        opened.project(rows, x, matrices.getFirst(), outs);
        Kernels.requireClose(expected, outs.getFirst(), expected.length);
    }

    @Benchmark
    public float[] project(Work work) {
        List<Linear> matrix = matrices.get(next);
        next = (next + 1) % matrices.size();
        opened.project(rows, x, matrix, outs);
        work.add((double) out * in * dtype.bytes(), 2.0 * rows * out * in);
        return outs.getFirst();
    }

    @TearDown
    public void tearDown() {
        opened.close();
        arena.close();
    }
}
