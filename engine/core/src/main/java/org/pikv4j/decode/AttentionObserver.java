package org.pikv4j.decode;

/** Sees what attention works on, layer by layer: who fits something to a model learns here what the model does. */
@FunctionalInterface
public interface AttentionObserver {

    /**
     * One layer has attended for one span of a batch. Runs on the engine's thread while the batch waits, so it must be quick.
     *
     * @param rows the span's rows in that layer
     */
    void observe(AttentionRows rows);
}
