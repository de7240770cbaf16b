package org.pikv4j.model;

/**
 * Grouped-query attention with rotary positions (GQA: Ainslie et al., arXiv 2305.13245, §2.2).
 *
 * @param heads query heads
 * @param kvHeads key/value heads; divides {@code heads}
 * @param headDim width of a head
 * @param scale factor on q·k, usually 1/√headDim
 * @param window a query sees this many newest tokens, itself included; {@link #FULL} for all
 * @param rope the rotary embedding
 * @param qkNorm an RMSNorm on queries and keys before the rotation
 * @param clip bound on the absolute value of q, k and v, after the norm and before the rotation (OLMo's {@code
 *     clip_qkv}); infinite for none
 */
public record AttentionSpec(
        int heads, int kvHeads, int headDim, float scale, int window, RopeSpec rope, QkNorm qkNorm, float clip) {

    /** The window of a layer that sees everything. */
    public static final int FULL = Integer.MAX_VALUE;

    /** Where queries and keys are normalised. */
    public enum QkNorm {
        NONE,
        /** Each head by itself, weights of headDim (Qwen3). */
        PER_HEAD,
        /** All heads together, weights of the whole projection (OLMoE). */
        WHOLE_PROJECTION
    }

    /**
     * @return query heads that share one key/value head
     */
    public int group() {
        return heads / kvHeads;
    }

    /**
     * @return width of the projected queries over all heads
     */
    public int queryWidth() {
        return heads * headDim;
    }

    /**
     * @return width of the projected keys, or values, over all heads
     */
    public int kvWidth() {
        return kvHeads * headDim;
    }
}
