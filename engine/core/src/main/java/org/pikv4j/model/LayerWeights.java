package org.pikv4j.model;

/** The weights of one layer; norms as float32, the rest as the file holds it. */
public final class LayerWeights {
    private final float[] attentionNorm;
    private final AttentionWeights attention;
    private final float[] feedForwardNorm;
    private final FeedForwardWeights feedForward;

    /**
     * @param attentionNorm length hidden
     * @param attention the projections
     * @param feedForwardNorm length hidden
     * @param feedForward the block after attention
     */
    public LayerWeights(
            float[] attentionNorm,
            AttentionWeights attention,
            float[] feedForwardNorm,
            FeedForwardWeights feedForward) {
        this.attentionNorm = attentionNorm;
        this.attention = attention;
        this.feedForwardNorm = feedForwardNorm;
        this.feedForward = feedForward;
    }

    public float[] attentionNorm() {
        return attentionNorm;
    }

    public AttentionWeights attention() {
        return attention;
    }

    public float[] feedForwardNorm() {
        return feedForwardNorm;
    }

    public FeedForwardWeights feedForward() {
        return feedForward;
    }
}
