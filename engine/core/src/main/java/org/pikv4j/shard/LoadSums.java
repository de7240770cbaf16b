package org.pikv4j.shard;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.pikv4j.cache.routing.ShardLoads;
import org.pikv4j.cache.storage.Page;
import org.pikv4j.cache.storage.PageTable;
import org.pikv4j.cache.storage.SequenceCache;

/** What shards would hold and read if pages were where they are put here. */
final class LoadSums implements ShardLoads {
    private final ShardLoads shards;
    private final int epoch;
    private final long[] held;
    private final Map<Integer, long[]> read = new TreeMap<>(); // by layer

    /**
     * @param shards what there is; nothing is on them here so far
     * @param epoch now, for {@link Page#readBytes}
     */
    LoadSums(ShardLoads shards, int epoch) {
        this.shards = shards;
        this.epoch = epoch;
        this.held = new long[shards.count()];
    }

    /** The same with all pages where they are, each once, whoever shares it. */
    static LoadSums of(List<SequenceCache> caches, ShardLoads shards, int epoch) {
        LoadSums sums = new LoadSums(shards, epoch);
        Set<Page> seen = new HashSet<>(); // pages are equal to themselves alone
        for (SequenceCache cache : caches) {
            for (int layer = 0; layer < cache.layout().layers().size(); layer++) {
                for (PageTable table : cache.tables(layer)) {
                    for (int p = 0; p < table.size(); p++) {
                        Page page = table.page(p);
                        if (page.shard() != Page.HERE && seen.add(page)) {
                            sums.put(page, layer, page.shard());
                        }
                    }
                }
            }
        }
        return sums;
    }

    /** Puts a page of a layer somewhere, {@link Page#HERE} included. */
    void put(Page page, int layer, int shard) {
        count(page, layer, shard, 1);
    }

    /** Takes it away again. */
    void take(Page page, int layer, int shard) {
        count(page, layer, shard, -1);
    }

    private void count(Page page, int layer, int shard, int times) {
        if (shard != Page.HERE) {
            held[shard] += (long) times * page.layout().pageBytes();
            read.computeIfAbsent(layer, l -> new long[held.length])[shard] += times * page.readBytes(epoch);
        }
    }

    /**
     * How much longer the slowest takes than all would if each had its share: of memory, or of the time to read, where each layer waits
     * for the slowest, whichever is larger.
     *
     * @return the largest load over the mean, for the shards' weights; 1 where there is nothing, and infinity where something is on a
     *     shard that shall have nothing
     */
    double imbalance() {
        double slowest = 0;
        double all = 0;
        for (long[] layer : read.values()) {
            slowest += largest(layer);
            all += sum(layer);
        }
        double held = sum(this.held);
        return Math.max(1, Math.max(held > 0 ? largest(this.held) / held : 0, all > 0 ? slowest / all : 0));
    }

    private static double sum(long[] loads) {
        return Arrays.stream(loads).sum();
    }

    /** The largest load by weight. */
    private double largest(long[] loads) {
        double largest = 0;
        for (int shard = 0; shard < loads.length; shard++) {
            if (loads[shard] > 0) {
                largest = Math.max(largest, loads[shard] / weight(shard));
            }
        }
        return largest;
    }

    @Override
    public int count() {
        return shards.count();
    }

    @Override
    public double weight(int shard) {
        return shards.weight(shard);
    }

    @Override
    public long heldBytes(int shard) {
        return held[shard];
    }
}
