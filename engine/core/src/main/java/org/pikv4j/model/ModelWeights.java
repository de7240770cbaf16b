package org.pikv4j.model;

import java.util.List;
import org.pikv4j.tensor.Tensor;

/** All weights of a model, as views of the file's bytes. */
public final class ModelWeights {
    private final Tensor embedding;
    private final List<LayerWeights> layers;
    private final float[] finalNorm;
    private final Linear output;

    /**
     * @param embedding (vocabulary, hidden)
     * @param layers first to last
     * @param finalNorm length hidden
     * @param output (vocabulary, hidden); the embedding itself when tied
     */
    public ModelWeights(Tensor embedding, List<LayerWeights> layers, float[] finalNorm, Linear output) {
        this.embedding = embedding;
        this.layers = List.copyOf(layers);
        this.finalNorm = finalNorm;
        this.output = output;
    }

    public Tensor embedding() {
        return embedding;
    }

    public List<LayerWeights> layers() {
        return layers;
    }

    public float[] finalNorm() {
        return finalNorm;
    }

    public Linear output() {
        return output;
    }
}
