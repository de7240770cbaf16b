package org.pikv4j.model;

import java.util.List;

/**
 * The shape of a decoder-only transformer, whatever family it comes from.
 *
 * @param architecture the family's name as the files spell it ({@code mixtral}, {@code qwen3_moe}, …)
 * @param hidden width of the residual stream
 * @param vocabulary rows of the embedding and of the output projection
 * @param maxPositions positions that the model was made for; a longer context is refused
 * @param normEpsilon added to the mean square in every RMSNorm
 * @param tiedEmbeddings whether the output projection is the embedding
 * @param layers the layers, first to last
 */
public record ModelConfig(
        String architecture,
        int hidden,
        int vocabulary,
        int maxPositions,
        float normEpsilon,
        boolean tiedEmbeddings,
        List<LayerSpec> layers) {

    public ModelConfig {
        layers = List.copyOf(layers);
    }

    /**
     * @param bytesPerElement size of a cached element
     * @return payload bytes of keys and values that one token adds over all layers
     */
    public long kvBytesPerToken(int bytesPerElement) {
        long elements = 0;
        for (LayerSpec layer : layers) {
            elements += 2L * layer.attention().kvHeads() * layer.attention().headDim();
        }
        return elements * bytesPerElement;
    }

    /**
     * @return number of experts of each layer, 0 for one without a gate
     */
    public List<Integer> experts() {
        return layers.stream()
                .map(layer -> layer.feedForward() instanceof FeedForwardSpec.Sparse sparse ? sparse.experts() : 0)
                .toList();
    }
}
