package org.pikv4j.model;

import java.util.OptionalInt;

/** The feed-forward block of a layer; every expert is a SwiGLU (Shazeer, arXiv 2002.05202). */
public sealed interface FeedForwardSpec {

    /**
     * One block that every token passes.
     *
     * @param width inner width
     */
    record Dense(int width) implements FeedForwardSpec {}

    /**
     * Experts of which a router picks some for each token: softmax over all, then the best {@code topK}.
     *
     * @param experts number of experts
     * @param topK experts per token
     * @param width inner width of one expert
     * @param renormalise whether the chosen weights are divided by their sum
     * @param sharedWidth inner width of an expert that every token passes, scaled by a sigmoid gate (Qwen2-MoE)
     */
    record Sparse(int experts, int topK, int width, boolean renormalise, OptionalInt sharedWidth)
            implements FeedForwardSpec {}
}
