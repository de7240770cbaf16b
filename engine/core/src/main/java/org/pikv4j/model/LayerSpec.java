package org.pikv4j.model;

/**
 * One layer: attention, then a feed-forward block, each behind an RMSNorm and added to the residual stream.
 *
 * @param attention how tokens look at each other
 * @param feedForward what is done to each token alone
 */
public record LayerSpec(AttentionSpec attention, FeedForwardSpec feedForward) {}
