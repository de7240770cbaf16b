package org.pikv4j.bench.quality;

import java.util.List;
import org.pikv4j.decode.AttentionObserver;
import org.pikv4j.decode.AttentionRows;
import org.pikv4j.model.AttentionSpec;

/** Keeps a document's keys, and queries and keys of what comes behind it; the next question overwrites the last one's. */
final class ExactReading implements AttentionObserver {
    private final List<AttentionSpec> specs;
    private final int document;
    private final float[][] keys; // (layer)(position, kvHeads, headDim)
    private final float[][] queries; // (layer)(step, heads, headDim)

    /**
     * @param specs the attention of each layer
     * @param document tokens of the document
     * @param steps the most tokens that come behind it
     */
    ExactReading(List<AttentionSpec> specs, int document, int steps) {
        this.specs = specs;
        this.document = document;
        keys = new float[specs.size()][];
        queries = new float[specs.size()][];
        for (int layer = 0; layer < keys.length; layer++) {
            keys[layer] = new float
                    [Math.multiplyExact(document + steps, specs.get(layer).kvWidth())];
            queries[layer] =
                    new float[Math.multiplyExact(steps, specs.get(layer).queryWidth())];
        }
    }

    @Override
    public void observe(AttentionRows rows) {
        int kvWidth = rows.spec().kvWidth();
        System.arraycopy(
                rows.keys(),
                rows.first() * kvWidth,
                keys[rows.layer()],
                rows.position() * kvWidth,
                rows.count() * kvWidth);
        if (rows.position() >= document) {
            int width = rows.spec().queryWidth();
            System.arraycopy(
                    rows.queries(),
                    rows.first() * width,
                    queries[rows.layer()],
                    (rows.position() - document) * width,
                    rows.count() * width);
        }
    }

    /**
     * @param steps tokens of the question read last
     * @return what they attend to
     */
    ExactAttention attention(int steps) {
        ExactAttention attention = new ExactAttention(document, steps);
        for (int layer = 0; layer < keys.length; layer++) {
            attention.add(specs.get(layer), queries[layer], keys[layer]);
        }
        return attention;
    }
}
