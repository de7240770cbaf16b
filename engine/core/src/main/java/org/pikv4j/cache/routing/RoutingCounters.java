package org.pikv4j.cache.routing;

import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.IntStream;
import org.pikv4j.cache.storage.Page;
import org.pikv4j.cache.storage.PageLayout;

/** Counts what routed queries read. Written by the engine's thread, read by any. */
public final class RoutingCounters {
    private static final int MOST_PLACES = 257; // no shard, one, …

    private final LongAdder queries = new LongAdder();
    private final LongAdder pagesRead = new LongAdder();
    private final LongAdder pages = new LongAdder();
    private final LongAdder tokensRead = new LongAdder();
    private final LongAdder tokens = new LongAdder();
    private final LongAdder bytesRead = new LongAdder();
    private final LongAdder bytes = new LongAdder();
    private final LongAdder following = new LongAdder();
    private final LongAdder foreseen = new LongAdder();
    private final LongAdder ahead = new LongAdder();
    private final LongAdder spared = new LongAdder();
    private final LongAdder nanos = new LongAdder();
    private final List<AtomicLongArray> reads;
    private final AtomicLongArray places = new AtomicLongArray(MOST_PLACES);

    /**
     * @param shards expert shards of each layer
     */
    public RoutingCounters(List<Integer> shards) {
        reads = shards.stream().map(AtomicLongArray::new).toList();
    }

    /** A page on the second tier is read ahead of time, or not. */
    void ahead(boolean read) {
        (read ? ahead : spared).increment();
    }

    void count(Candidates candidates, int[] read, int[] chosen, int[] last, long took) {
        queries.increment();
        pages.add(candidates.count());
        pagesRead.add(read.length);
        for (int b = 0; b < candidates.count(); b++) {
            tokens.add(candidates.tokens(b));
            bytes.add(bytes(candidates, b));
        }
        BitSet on = new BitSet();
        for (int b : read) {
            tokensRead.add(candidates.tokens(b));
            bytesRead.add(bytes(candidates, b));
            if (candidates.page(b).shard() != Page.HERE) {
                on.set(candidates.page(b).shard());
            }
        }
        places.incrementAndGet(Math.min(on.cardinality(), MOST_PLACES - 1));
        for (int shard : chosen) {
            reads.get(candidates.layer()).incrementAndGet(shard);
        }
        if (last.length > 0) {
            following.add(chosen.length);
            foreseen.add(Arrays.stream(chosen)
                    .filter(shard -> Arrays.binarySearch(last, shard) >= 0)
                    .count());
        }
        nanos.add(took);
    }

    /** Of a block, by tokens: the page that is being filled is read as far as it is. */
    private static long bytes(Candidates candidates, int block) {
        PageLayout layout = candidates.page(block).layout();
        return (long) (layout.keyBytes() + layout.valueBytes()) * candidates.tokens(block) / layout.tokens();
    }

    /**
     * @return the counts at this moment
     */
    public RoutingUsage usage() {
        return new RoutingUsage(
                queries.sum(),
                pagesRead.sum(),
                pages.sum(),
                tokensRead.sum(),
                tokens.sum(),
                bytesRead.sum(),
                bytes.sum(),
                nanos.sum() / 1e9,
                reads.stream().map(RoutingCounters::numbers).toList(),
                withoutLastZeros(numbers(places)),
                following.sum(),
                foreseen.sum(),
                ahead.sum(),
                spared.sum());
    }

    private static List<Long> numbers(AtomicLongArray array) {
        return IntStream.range(0, array.length()).mapToObj(array::get).toList();
    }

    private static List<Long> withoutLastZeros(List<Long> numbers) {
        int end = numbers.size();
        while (end > 0 && numbers.get(end - 1) == 0) {
            end--;
        }
        return numbers.subList(0, end);
    }
}
