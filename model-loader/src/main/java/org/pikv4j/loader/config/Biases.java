package org.pikv4j.loader.config;

/**
 * Which linear maps of a model have a bias.
 *
 * @param queryKeyValue the projections into attention
 * @param attentionOutput the projection out of it
 * @param mlp the three of a dense block
 */
public record Biases(boolean queryKeyValue, boolean attentionOutput, boolean mlp) {}
