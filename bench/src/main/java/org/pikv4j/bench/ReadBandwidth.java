package org.pikv4j.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;

/**
 * The read bandwidth that Java reaches on this machine, as STREAM measures it: sums over off-heap memory far larger than any
 * cache, on as many threads as compute. The best of several passes counts, since whatever else runs only takes away.
 */
public final class ReadBandwidth {
    private static final long BYTES = 2L << 30;
    private static final int PASSES = 6;
    private static final int BLOCK = 1 << 20;

    private ReadBandwidth() {}

    /**
     * @param threads threads that read
     * @return bytes per second
     */
    public static double measure(int threads) {
        long share = BYTES / threads / BLOCK * BLOCK;
        List<Double> rates = new ArrayList<>();
        AtomicLong sink = new AtomicLong();
        try (Arena arena = Arena.ofShared();
                ExecutorService workers = Executors.newFixedThreadPool(threads)) {
            List<MemorySegment> segments = IntStream.range(0, threads)
                    .mapToObj(i -> arena.allocate(share, 64))
                    .toList();
            // A page that was never written may be one and the same page of zeros.
            Parallel.forEach(workers, segments, segment -> segment.fill((byte) 1));
            for (int pass = 0; pass < PASSES; pass++) {
                long started = System.nanoTime();
                Parallel.forEach(workers, segments, segment -> sink.addAndGet(sum(segment)));
                rates.add(share * threads / ((System.nanoTime() - started) / 1e9));
            }
        }
        if (sink.get() == 0) {
            throw new IllegalStateException("the sums are wrong");
        }
        return rates.stream().mapToDouble(Double::doubleValue).max().orElseThrow();
    }

    private static long sum(MemorySegment segment) {
        long sum = 0;
        for (long at = 0; at < segment.byteSize(); at += BLOCK) {
            sum += sumBlock(segment.asSlice(at, BLOCK));
        }
        return sum;
    }

    /**
     * A loop over an int, which the compiler turns into vectors. Four streams, since the processor's prefetchers bring in
     * more of several than of one.
     */
    private static long sumBlock(MemorySegment block) {
        int quarter = BLOCK / 4;
        MemorySegment first = block.asSlice(0, quarter);
        MemorySegment second = block.asSlice(quarter, quarter);
        MemorySegment third = block.asSlice(2 * quarter, quarter);
        MemorySegment fourth = block.asSlice(3 * quarter, quarter);
        long a = 0;
        for (int i = 0; i < quarter / Long.BYTES; i++) {
            long at = (long) i * Long.BYTES;
            a += first.get(ValueLayout.JAVA_LONG, at)
                    + second.get(ValueLayout.JAVA_LONG, at)
                    + third.get(ValueLayout.JAVA_LONG, at)
                    + fourth.get(ValueLayout.JAVA_LONG, at);
        }
        return a;
    }
}
