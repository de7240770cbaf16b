package org.pikv4j.session;

/** Why a generation ended. */
public enum FinishReason {
    /** As many tokens as asked for. */
    MAX_TOKENS,
    /** The model's positions are used up. */
    CONTEXT_FULL,
    /** A token that ends a text. */
    END_TOKEN,
    /** A stop string. */
    STOP_STRING,
    /** {@link Session#cancel()}, or the caller's thread was interrupted. */
    CANCELLED
}
