package org.pikv4j.calibration;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.pikv4j.cache.compression.HalfShape;
import org.pikv4j.decode.AttentionRows;
import org.pikv4j.model.AttentionSpec;

/**
 * What a model did in one layer.
 *
 * @param layer its index
 * @param spec its attention
 * @param heads one entry per KV head
 * @param sample some of its queries and keys themselves, for who cannot work from sums
 * @param streaming what heads lose that see only the first tokens and the newest
 */
record LayerStatistics(
        int layer,
        AttentionSpec spec,
        List<HeadStatistics> heads,
        Optional<AttentionSample> sample,
        StreamingError streaming) {
    LayerStatistics {
        heads = List.copyOf(heads);
    }

    LayerStatistics(int layer, AttentionSpec spec, Optional<AttentionSample> sample) {
        this(
                layer,
                spec,
                Stream.generate(() -> new HeadStatistics(spec.headDim()))
                        .limit(spec.kvHeads())
                        .toList(),
                sample,
                new StreamingError(spec));
    }

    void add(AttentionRows rows) {
        int headDim = spec.headDim();
        for (int row = rows.first(); row < rows.first() + rows.count(); row++) {
            for (int head = 0; head < spec.kvHeads(); head++) {
                HeadStatistics statistics = heads.get(head);
                int kv = (row * spec.kvHeads() + head) * headDim;
                statistics.keys().add(rows.keys(), kv);
                statistics.values().add(rows.values(), kv);
                for (int member = 0; member < spec.group(); member++) {
                    int query = (row * spec.heads() + head * spec.group() + member) * headDim;
                    statistics.queries().add(rows.queries(), query);
                    statistics.attended().add(rows.attended(), query);
                }
            }
        }
        sample.ifPresent(taken -> taken.add(rows));
        streaming.add(rows);
    }

    /** The moments of what is stored on a side, head by head. */
    List<Moments> stored(HalfShape.Side side) {
        return heads.stream()
                .map(head -> side == HalfShape.Side.KEYS ? head.keys() : head.values())
                .toList();
    }
}
