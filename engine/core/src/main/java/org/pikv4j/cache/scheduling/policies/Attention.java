package org.pikv4j.cache.scheduling.policies;

/** What can be said of attention once it was received. */
final class Attention {
    private Attention() {}

    /**
     * @param received what a kernel gave out
     * @return the same, or 0 if it is not finite: one bad row must not spoil what is kept for ever
     */
    static float orNothing(float received) {
        return Float.isFinite(received) ? received : 0f;
    }
}
