package org.pikv4j.cache.scheduling.policies;

import org.pikv4j.cache.scheduling.EvictionPolicy;
import org.pikv4j.cache.scheduling.HeadTokens;

/**
 * The first tokens and a window of the newest (Xiao et al., "Efficient Streaming Language Models with Attention Sinks", arXiv
 * 2309.17453). The first tokens draw much attention whatever they say, since the softmax must put its mass somewhere; without
 * them a model breaks down, with them it goes on for ever, but knows nothing of what lies between.
 *
 * <p>Costs nothing, and forgets what it forgets for certain: the yardstick that others must beat.
 */
public final class StreamingLlm implements EvictionPolicy {

    @Override
    public String name() {
        return "streaming-llm";
    }

    @Override
    public void score(HeadTokens tokens, float[] scores) {
        int[] positions = tokens.positions();
        for (int i = 0; i < positions.length; i++) {
            scores[i] = positions[i];
        }
    }
}
