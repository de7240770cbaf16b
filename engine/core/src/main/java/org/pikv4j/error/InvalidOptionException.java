package org.pikv4j.error;

/** An option or argument has a value that cannot be used; the message names the option and what it accepts. */
public final class InvalidOptionException extends PiKVException {
    private static final long serialVersionUID = 1L;

    public InvalidOptionException(String message) {
        super(message);
    }
}
