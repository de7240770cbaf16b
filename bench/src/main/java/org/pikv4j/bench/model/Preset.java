package org.pikv4j.bench.model;

/**
 * The shape of a checkpoint to make.
 *
 * @param hidden width of the residual stream
 * @param layers number of layers
 * @param heads query heads
 * @param kvHeads key/value heads
 * @param headDim width of a head
 * @param experts experts per layer
 * @param topK experts per token
 * @param width inner width of an expert
 * @param vocabulary rows of the embedding
 * @param positions {@code max_position_embeddings}
 */
public record Preset(
        int hidden,
        int layers,
        int heads,
        int kvHeads,
        int headDim,
        int experts,
        int topK,
        int width,
        int vocabulary,
        int positions) {

    /** 16 million parameters: quick to make, for trying things out. */
    public static final Preset S = new Preset(256, 4, 4, 2, 64, 8, 2, 512, 4096, 32_768);

    /** 432 million parameters, 126 million active: what figures are quoted for. */
    public static final Preset M = new Preset(1024, 8, 16, 4, 64, 8, 2, 2048, 4096, 131_072);
}
