package org.pikv4j.plan;

/**
 * One layer in numbers.
 *
 * @param kv what it keeps of each token
 * @param queryHeads query heads
 * @param queryHeadDim width of a query head as attention sees it
 * @param alwaysParameters numbers that every token meets: attention, norms, router, dense and shared blocks
 * @param experts experts of which a router picks some; 0 for none
 * @param expertsPerToken how many it picks
 * @param expertParameters numbers of one expert
 * @param innerWidth the widest inner activation of a feed-forward block
 */
public record LayerShape(
        KvShape kv,
        int queryHeads,
        int queryHeadDim,
        long alwaysParameters,
        int experts,
        int expertsPerToken,
        long expertParameters,
        int innerWidth) {}
