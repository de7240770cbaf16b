package org.pikv4j.error;

/** A session or engine was used after it was closed, or from two threads at once. */
public final class SessionStateException extends PiKVException {
    private static final long serialVersionUID = 1L;

    public SessionStateException(String message) {
        super(message);
    }
}
