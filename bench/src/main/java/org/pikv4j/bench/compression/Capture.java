package org.pikv4j.bench.compression;

import java.util.ArrayList;
import java.util.List;
import org.pikv4j.decode.AttentionObserver;
import org.pikv4j.decode.AttentionRows;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.model.LayerSpec;
import org.pikv4j.model.ModelConfig;

/** Queries, keys and values of one text, as attention took them. */
final class Capture implements AttentionObserver {
    private final List<Layer> layers = new ArrayList<>();

    /**
     * @param spec the layer's attention
     * @param tokens tokens of the text
     * @param queries (token, heads, headDim)
     * @param keys (token, kvHeads, headDim)
     * @param values (token, kvHeads, headDim)
     */
    record Layer(AttentionSpec spec, int tokens, float[] queries, float[] keys, float[] values) {}

    Capture(ModelConfig config, int tokens) {
        for (LayerSpec layer : config.layers()) {
            AttentionSpec spec = layer.attention();
            layers.add(new Layer(
                    spec,
                    tokens,
                    new float[Math.multiplyExact(tokens, spec.queryWidth())],
                    new float[Math.multiplyExact(tokens, spec.kvWidth())],
                    new float[tokens * spec.kvWidth()]));
        }
    }

    @Override
    public void observe(AttentionRows rows) {
        Layer layer = layers.get(rows.layer());
        copy(rows.queries(), rows, layer.spec().queryWidth(), layer.queries());
        copy(rows.keys(), rows, layer.spec().kvWidth(), layer.keys());
        copy(rows.values(), rows, layer.spec().kvWidth(), layer.values());
    }

    private static void copy(float[] from, AttentionRows rows, int width, float[] to) {
        System.arraycopy(from, rows.first() * width, to, rows.position() * width, rows.count() * width);
    }

    List<Layer> layers() {
        return layers;
    }
}
