package org.pikv4j.cache.scheduling.policies;

import org.pikv4j.cache.scheduling.EvictionPolicy;
import org.pikv4j.cache.scheduling.HeadTokens;
import org.pikv4j.cache.scheduling.PolicyOptions;

/**
 * The first tokens and a window of the newest (Xiao et al., "Efficient Streaming Language Models with Attention Sinks", arXiv
 * 2309.17453). The first tokens draw much attention whatever they say, since the softmax must put its mass somewhere; without
 * them a model breaks down, with them it goes on for ever, but knows nothing of what lies between.
 *
 * <p>The paper counts positions within the cache: what is gone leaves no gap. Between the window and the queries nothing changes by
 * that; the first tokens' keys are turned on by as many positions as are gone (§3.2).
 *
 * <p>Costs nothing, and forgets what it forgets for certain: the yardstick that others must beat.
 *
 * <p>Option: {@code rotate}, 0 to leave the first tokens' keys as they are (1).
 */
public final class StreamingLlm implements EvictionPolicy {
    private final boolean rotates;

    StreamingLlm(boolean rotates) {
        this.rotates = rotates;
    }

    @Override
    public EvictionPolicy with(PolicyOptions options) {
        return new StreamingLlm(options.flag("rotate", rotates));
    }

    @Override
    public boolean closesGap() {
        return rotates;
    }

    @Override
    public String name() {
        return "streaming-llm";
    }

    @Override
    public void score(HeadTokens tokens, float[] scores) {
        Positions.newestFirst(tokens, scores);
    }
}
