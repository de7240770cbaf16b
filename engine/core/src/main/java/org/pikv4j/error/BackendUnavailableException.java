package org.pikv4j.error;

/** The backend asked for cannot run here; the message says why and what would mend it. */
public final class BackendUnavailableException extends PiKVException {
    private static final long serialVersionUID = 1L;

    public BackendUnavailableException(String message) {
        super(message);
    }
}
