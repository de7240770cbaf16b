package org.pikv4j.error;

/**
 * The root of the exceptions that name something the caller can mend: a file, a tensor, an option, a budget. The
 * message is one line, complete without a stack trace. Anything else that escapes the library is a defect of it.
 */
public abstract class PiKVException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    protected PiKVException(String message) {
        super(message);
    }

    protected PiKVException(String message, Throwable cause) {
        super(message, cause);
    }
}
