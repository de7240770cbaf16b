package org.pikv4j.error;

/** A prompt or a session would be longer than the positions that the model was made for. */
public final class ContextLengthException extends PiKVException {
    private static final long serialVersionUID = 1L;

    /**
     * @param tokens the length asked for, in tokens
     * @param positions the model's limit, in tokens
     */
    public ContextLengthException(long tokens, int positions) {
        super("the prompt and what came before it are " + tokens + " tokens long, but the model has " + positions
                + " positions (max_position_embeddings)");
    }
}
