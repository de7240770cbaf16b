package org.pikv4j.model;

import java.util.List;
import java.util.Optional;

/** The weights of a layer's feed-forward block, of the kind that its {@link FeedForwardSpec} declares. */
public sealed interface FeedForwardWeights {

    /**
     * @param block the one block
     */
    record Dense(SwiGlu block) implements FeedForwardWeights {}

    /**
     * @param router (experts, hidden)
     * @param experts one block per expert
     * @param shared the expert that every token passes, if there is one
     */
    record Sparse(Linear router, List<SwiGlu> experts, Optional<Shared> shared) implements FeedForwardWeights {
        public Sparse {
            experts = List.copyOf(experts);
        }
    }

    /**
     * @param block the shared expert
     * @param gate (1, hidden): its output is scaled by the sigmoid of this
     */
    record Shared(SwiGlu block, Linear gate) {}
}
