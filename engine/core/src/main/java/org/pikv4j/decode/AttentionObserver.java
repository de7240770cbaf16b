package org.pikv4j.decode;

/** Sees what a model works on, layer by layer: who fits something to a model learns here what the model does. */
@FunctionalInterface
public interface AttentionObserver {

    /**
     * One layer has attended for one span of a batch. Runs on the engine's thread while the batch waits, so it must be quick.
     *
     * @param rows the span's rows in that layer
     */
    void observe(AttentionRows rows);

    /**
     * One layer has chosen experts for one span of a batch, after it has attended. Likewise.
     *
     * @param rows the span's rows at that layer's gate
     */
    default void observe(GateRows rows) {}
}
