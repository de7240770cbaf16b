package org.pikv4j.error;

/** The KV cache would have grown beyond its budget. Nothing was allocated, the session is as it was before the call. */
public final class KvBudgetExceededException extends PiKVException {
    private static final long serialVersionUID = 1L;

    public KvBudgetExceededException(String message) {
        super(message);
    }
}
