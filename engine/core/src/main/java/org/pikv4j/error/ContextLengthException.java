package org.pikv4j.error;

/** A prompt or a session would be longer than the positions that the model was made for. */
public final class ContextLengthException extends PiKVException {
    private static final long serialVersionUID = 1L;

    /**
     * @param tokens the length asked for, in tokens
     * @param positions the model's limit, in tokens
     */
    public ContextLengthException(long tokens, int positions) {
        super(tokens + " tokens, with what came before them, are more than the model's " + positions
                + " positions (max_position_embeddings)");
    }
}
