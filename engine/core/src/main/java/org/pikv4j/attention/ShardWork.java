package org.pikv4j.attention;

import java.util.ArrayList;
import java.util.List;

/** What a shard does to answer a {@link ShardQuery}. */
public final class ShardWork extends AttentionWork {
    private final List<AttentionTile> tiles = new ArrayList<>();

    /**
     * @param query what is asked
     * @param partials room for partials, reused from query to query
     */
    public ShardWork(ShardQuery query, Partials partials) {
        super(query.spec(), query.queries(), partials);
        int stride = query.spec().group() * query.spec().headDim();
        for (ShardQuery.Rows rows : query.tiles()) {
            AttentionTile tile =
                    new AttentionTile(this, rows.query(), stride, rows.rows(), rows.position(), rows.weighs());
            int first = entries();
            tile.split(rows.ranges(), first, cut(tile, rows.ranges()));
            tiles.add(tile);
        }
    }

    @Override
    void merged(AttentionTile tile) {
        // As they are, unnormalised, the partials are the answer.
    }

    /**
     * @return the answer, once all items are complete; it has nothing in common with this work
     */
    public ShardAnswer answer() {
        Partials merged = new Partials(spec().headDim());
        merged.reset(tiles.stream().mapToInt(AttentionTile::entries).sum());
        List<List<TokenWeights>> weights = new ArrayList<>();
        int at = 0;
        for (AttentionTile tile : tiles) {
            merged.put(at, partials(), tile.firstEntry(), tile.entries());
            at += tile.entries();
            weights.add(tile.takeWeights());
        }
        return new ShardAnswer(merged, weights);
    }
}
