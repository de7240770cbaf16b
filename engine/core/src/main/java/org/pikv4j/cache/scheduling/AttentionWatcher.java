package org.pikv4j.cache.scheduling;

import java.util.Set;

/** Who wants to know what queries look for, and how much attention tokens receive. */
public interface AttentionWatcher {

    /**
     * @return what it wants to know
     */
    default Set<Signal> signals() {
        return Set.of(Signal.ATTENTION);
    }

    /**
     * @return position of the first row that it watches; {@link Integer#MAX_VALUE} for none
     */
    int watchedFrom();

    /**
     * Called once for some consecutive rows and each KV head, by the engine's thread.
     *
     * @param seen what was asked for
     */
    void watch(ObservedAttention seen);
}
