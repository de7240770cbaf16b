package org.pikv4j.cache.scheduling;

/** Who wants to know how much attention tokens receive. */
public interface AttentionWatcher {

    /**
     * @return position of the first row whose attention is wanted; {@link Integer#MAX_VALUE} for none
     */
    int watchedFrom();

    /**
     * Called once for some consecutive rows and each KV head, by the engine's thread.
     *
     * @param seen their attention
     */
    void watch(ObservedAttention seen);
}
