package org.pikv4j.attention;

import java.util.ArrayList;
import java.util.List;
import org.pikv4j.cache.storage.Page;
import org.pikv4j.model.AttentionSpec;

/** What a shard is asked in one layer: the queries of some rows, and the pages there that they read. */
public final class ShardQuery {
    /** What names a run of pages in a message: their list, the first, how many, and, of a single one, first and last slot. */
    private static final long RUN_BYTES = Long.BYTES + 2 * Integer.BYTES + 2 * Short.BYTES;
    /** KV head, rows, position and number of runs of a tile in a message. */
    private static final long TILE_BYTES = 4 * Integer.BYTES;

    private final int shard;
    private final int layer;
    private final AttentionSpec spec;
    private final float[] queries;
    private final List<Rows> tiles;

    /**
     * Some consecutive rows of one sequence and KV head.
     *
     * @param query where the first row's queries start
     * @param rows number of rows
     * @param position position of the first row
     * @param ranges what they read, if they see it
     * @param weighs whether the weights of the tokens are wanted
     */
    record Rows(int query, int rows, int position, SlotRanges ranges, boolean weighs) {}

    private ShardQuery(int shard, int layer, AttentionSpec spec, float[] queries, List<Rows> tiles) {
        this.shard = shard;
        this.layer = layer;
        this.spec = spec;
        this.queries = queries;
        this.tiles = List.copyOf(tiles);
    }

    public int shard() {
        return shard;
    }

    /**
     * @return index of the layer
     */
    public int layer() {
        return layer;
    }

    /**
     * @return width of a query of one head
     */
    public int headDim() {
        return spec.headDim();
    }

    AttentionSpec spec() {
        return spec;
    }

    /** The queries, rotated: (row, group, headDim), tile by tile. */
    float[] queries() {
        return queries;
    }

    List<Rows> tiles() {
        return tiles;
    }

    /**
     * @return what it takes as a message, the queries in float32
     */
    public long bytes() {
        return (long) queries.length * Float.BYTES
                + tiles.stream()
                        .mapToLong(tile -> TILE_BYTES + PageRuns.count(tile.ranges()) * RUN_BYTES)
                        .sum();
    }

    /**
     * Counts what will be read: a tile's rows read a page together.
     *
     * @param epoch when, for {@link Page#read}
     * @return bytes of the pages' slots, all in all
     */
    public long countReads(int epoch) {
        long all = 0;
        for (Rows tile : tiles) {
            for (int i = 0; i < tile.ranges().size(); i++) {
                Page page = tile.ranges().page(i);
                int slots = tile.ranges().end(i) - tile.ranges().start(i);
                long bytes =
                        (long) page.layout().pageBytes() * slots / page.layout().tokens();
                page.read(bytes, epoch);
                all += bytes;
            }
        }
        return all;
    }

    /** Collects what a shard is to be asked, and puts the answer where it belongs. */
    static final class Builder {
        private final int shard;
        private final int layer;
        private final AttentionSpec spec;
        private final List<Part> parts = new ArrayList<>();

        /** A part of a tile, its first partial, and, once it is known, what its tokens weigh. */
        private static final class Part {
            final AttentionTile tile;
            final SlotRanges ranges;
            final int entry;
            List<TokenWeights> weights = List.of();

            Part(AttentionTile tile, SlotRanges ranges, int entry) {
                this.tile = tile;
                this.ranges = ranges;
                this.entry = entry;
            }
        }

        Builder(int shard, int layer, AttentionSpec spec) {
            this.shard = shard;
            this.layer = layer;
            this.spec = spec;
        }

        void add(AttentionTile tile, SlotRanges ranges, int entry) {
            Part part = new Part(tile, ranges, entry);
            parts.add(part);
            tile.weigh(ranges, () -> part.weights);
        }

        ShardQuery build() {
            int width = spec.group() * spec.headDim();
            float[] queries = new float
                    [width * parts.stream().mapToInt(part -> part.tile.rows()).sum()];
            List<Rows> tiles = new ArrayList<>();
            int at = 0;
            for (Part part : parts) {
                AttentionTile tile = part.tile;
                tiles.add(new Rows(at, tile.rows(), tile.position(), part.ranges, tile.weighs()));
                for (int row = 0; row < tile.rows(); row++, at += width) {
                    System.arraycopy(tile.plan().queries(), tile.queryOffset(row), queries, at, width);
                }
            }
            return new ShardQuery(shard, layer, spec, queries, tiles);
        }

        void answer(ShardAnswer answer, Partials partials) {
            int from = 0;
            for (int i = 0; i < parts.size(); i++) {
                Part part = parts.get(i);
                partials.put(part.entry, answer.partials(), from, part.tile.entries());
                from += part.tile.entries();
                part.weights = answer.weights(i);
                part.tile.complete();
            }
        }
    }
}
