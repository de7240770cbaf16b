package org.pikv4j.model;

import java.util.Optional;

/**
 * How many numbers a model consists of.
 *
 * @param total all of them; a tied output projection counts once
 * @param active those that a token's way through the model touches: all but the experts that its routers do not pick.
 *     Embedding and output projection count in full, as is customary
 */
public record ParameterCount(long total, long active) {

    /**
     * @param config a model's shape
     * @param weights its weights
     * @return the count
     */
    public static ParameterCount of(ModelConfig config, ModelWeights weights) {
        long always = weights.embedding().elements() + weights.finalNorm().length;
        if (!config.tiedEmbeddings()) {
            always += count(weights.output());
        }
        long experts = 0;
        long activeExperts = 0;
        for (int l = 0; l < weights.layers().size(); l++) {
            LayerWeights layer = weights.layers().get(l);
            always += layer.attentionNorm().length + count(layer.attention()) + layer.feedForwardNorm().length;
            switch (layer.feedForward()) {
                case FeedForwardWeights.Dense(SwiGlu block) -> always += count(block);
                case FeedForwardWeights.Sparse sparse -> {
                    always += count(sparse.router()) + count(sparse.shared());
                    long one = count(sparse.experts().getFirst());
                    experts += one * sparse.experts().size();
                    activeExperts += one * expertsPerToken(config.layers().get(l));
                }
            }
        }
        return new ParameterCount(always + experts, always + activeExperts);
    }

    private static int expertsPerToken(LayerSpec layer) {
        return switch (layer.feedForward()) {
            case FeedForwardSpec.Dense dense -> 0;
            case FeedForwardSpec.Sparse sparse -> sparse.topK();
        };
    }

    private static long count(AttentionWeights attention) {
        return count(attention.query())
                + count(attention.key())
                + count(attention.value())
                + count(attention.output())
                + attention.queryNorm().length
                + attention.keyNorm().length;
    }

    private static long count(Optional<FeedForwardWeights.Shared> shared) {
        return shared.map(expert -> count(expert.block()) + count(expert.gate()))
                .orElse(0L);
    }

    private static long count(SwiGlu block) {
        return count(block.gate()) + count(block.up()) + count(block.down());
    }

    private static long count(Linear map) {
        return map.weight().elements() + map.bias().length;
    }
}
