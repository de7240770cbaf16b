package org.pikv4j.bench.scaling;

import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalDouble;
import java.util.SplittableRandom;
import java.util.function.DoubleSupplier;
import org.pikv4j.backend.Backend;
import org.pikv4j.cache.storage.CacheUsage;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.plan.PaperModel;
import org.pikv4j.shard.ShardUsage;

/**
 * Measures what sequences take in pages of different sizes. Their lengths are random: where they all end with a page, larger pages
 * would seem to cost nothing. To be run before anything else fills the heap: what is left of that may go while the heap is measured.
 *
 * @param backend what computes
 * @param specs the attention of each layer
 * @param expertsPerToken K, for the paper's model
 * @param context shortest sequence; the longest are as long as the largest ring longer, so that the rest of a page is anything
 * @param rings numbers of rows of a page
 * @param devices numbers of shards
 */
record RingRun(
        Backend backend,
        List<AttentionSpec> specs,
        int expertsPerToken,
        int context,
        List<Integer> rings,
        List<Integer> devices) {
    private static final int SEQUENCES = 8;
    private static final long SEED = 7;

    /** Measurements of the heap, at most. */
    private static final int HEAP_MEASUREMENTS = 12;

    /** How many of them in a row have to agree. */
    private static final int AGREEING = 3;

    /** How far these may lie from each other, of their median. */
    private static final double AGREEMENT = 0.25;

    /** Collections before the heap is looked at: what one sets free may need another. */
    private static final int COLLECTIONS = 3;

    RingReport measure() {
        int[] lengths = new SplittableRandom(SEED)
                .ints(SEQUENCES, context, context + Collections.max(rings))
                .toArray();
        double length = Arrays.stream(lengths).average().orElseThrow();
        OptionalDouble handle = handleBytes(lengths);
        List<RingReport.Row> rows = new ArrayList<>();
        List<RingReport.Minimum> minima = new ArrayList<>();
        for (int count : devices) {
            List<RingReport.Row> ofCount = new ArrayList<>();
            for (int ring : rings) {
                ofCount.add(row(count, ring, lengths, length, handle));
            }
            rows.addAll(ofCount);
            handle.ifPresent(bytes -> minima.add(minimum(ofCount, length, bytes)));
        }
        return new RingReport((int) Math.round(length), expertsPerToken, SEQUENCES, handle, rows, minima);
    }

    /** Heap of a page that is on a shard: the page, its segments and its name, and its place in its table. */
    private OptionalDouble handleBytes(int[] lengths) {
        return settled(() -> measuredHandleBytes(lengths));
    }

    /**
     * Measures until some measurements in a row agree: what is left of anything before may go during one of them, but is gone then.
     *
     * @param measurement of what is always the same
     * @return the median of the last ones; empty where they come to agree on no positive number: what else comes and goes on the heap
     *     is more than what is measured
     */
    static OptionalDouble settled(DoubleSupplier measurement) {
        List<Double> measured = new ArrayList<>();
        while (measured.size() < HEAP_MEASUREMENTS) {
            measured.add(measurement.getAsDouble());
            double[] last = measured.stream()
                    .skip(Math.max(0, measured.size() - AGREEING))
                    .mapToDouble(Double::doubleValue)
                    .sorted()
                    .toArray();
            double median = last[last.length / 2];
            if (last.length == AGREEING && median > 0 && last[AGREEING - 1] - last[0] <= AGREEMENT * median) {
                return OptionalDouble.of(median);
            }
        }
        return OptionalDouble.empty();
    }

    /** The first sequences are not counted, so that what the first use of anything leaves on the heap is there before. */
    private double measuredHandleBytes(int[] lengths) {
        try (ShardedCaches caches = caches(1, Collections.min(rings), lengths)) {
            int settling = lengths.length / 2;
            for (int i = 0; i < settling; i++) {
                caches.fill(lengths[i]);
            }
            long before = heap();
            long pages = caches.usage().pages();
            for (int i = settling; i < lengths.length; i++) {
                caches.fill(lengths[i]);
            }
            return (double) (heap() - before) / (caches.usage().pages() - pages);
        }
    }

    private static long heap() {
        MemoryMXBean memory = ManagementFactory.getMemoryMXBean();
        for (int i = 0; i < COLLECTIONS; i++) {
            memory.gc();
        }
        return memory.getHeapMemoryUsage().getUsed();
    }

    private ShardedCaches caches(int count, int ring, int[] lengths) {
        long tokens = 0;
        for (int of : lengths) {
            tokens += of + ring;
        }
        return new ShardedCaches(backend, specs, ring, count, 4 * tokens * rowBytes() + (1L << 30));
    }

    /** Keys and values of a token in bf16. */
    private long rowBytes() {
        return specs.stream()
                .mapToLong(spec -> 2L * spec.kvWidth() * Short.BYTES)
                .sum();
    }

    private RingReport.Row row(int count, int ring, int[] lengths, double length, OptionalDouble handle) {
        try (ShardedCaches caches = caches(count, ring, lengths)) {
            for (int tokens : lengths) {
                caches.fill(tokens);
            }
            List<ShardUsage> filled = caches.shards();
            CacheUsage usage = caches.usage();
            caches.decode();
            double messages = 0;
            double onShards = 0;
            double names = 0;
            for (ShardUsage shard : caches.shards()) {
                ShardUsage before = filled.get(shard.shard());
                messages += shard.queryBytes() + shard.answerBytes() - before.queryBytes() - before.answerBytes();
                onShards += before.heldBytes();
                names += before.nameBytes();
            }
            double open = usage.heldBytes() - onShards;
            double payload = length * rowBytes() * SEQUENCES;
            OptionalDouble handles = handle.stream()
                    .map(bytes -> bytes * usage.pages() / SEQUENCES)
                    .findFirst();
            double others = (open + messages + (onShards + names) / count) / SEQUENCES;
            return new RingReport.Row(
                    count,
                    ring,
                    (double) usage.pages() / SEQUENCES,
                    payload / SEQUENCES,
                    open / SEQUENCES,
                    onShards / SEQUENCES,
                    (usage.heldBytes() - payload) / SEQUENCES,
                    handles,
                    names / SEQUENCES,
                    messages / SEQUENCES,
                    handles.stream().map(bytes -> bytes + others).findFirst(),
                    PaperModel.memoryBytes((double) rowBytes(), length, count, expertsPerToken, ring));
        }
    }

    private RingReport.Minimum minimum(List<RingReport.Row> rows, double length, double handle) {
        RingReport.Row best = rows.stream()
                .min(Comparator.comparingDouble(row -> row.deviceBytes().orElseThrow()))
                .orElseThrow();
        long tables = specs.stream().mapToLong(AttentionSpec::kvHeads).sum();
        double rowOfTable = (double) rowBytes() / tables;
        return new RingReport.Minimum(
                best.shards(),
                best.ring(),
                best.deviceBytes().orElseThrow(),
                PaperModel.bestRing(length, best.shards(), expertsPerToken),
                Math.sqrt(length * handle / (rowOfTable * (1 - 0.5 / best.shards()))));
    }
}
