package org.pikv4j.decode;

/** Receives the next-token logits of a forward pass, span by span and token by token. */
@FunctionalInterface
public interface LogitsSink {

    /**
     * @param span index of the span in the batch
     * @param index the token's place in the span
     * @param logits holds the logits; valid during the call, and the receiver may change them
     * @param offset where they start; as many follow as the vocabulary is large
     */
    void accept(int span, int index, float[] logits, int offset);
}
