package org.pikv4j.cache.routing;

/**
 * The pages of one expert.
 *
 * @param layer index of the layer
 * @param expert the expert that most of their tokens chose; -1 for pages of a layer without a gate
 * @param heldBytes what they take
 * @param readBytes what attention read of them lately
 */
public record ExpertLoad(int layer, int expert, long heldBytes, long readBytes) {}
