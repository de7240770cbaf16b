package org.pikv4j.backend;

import org.pikv4j.error.InvalidOptionException;

/**
 * How a backend shall run.
 *
 * @param threads threads that compute
 */
public record BackendOptions(int threads) {

    public BackendOptions {
        if (threads < 1 || threads > 1024) {
            throw new InvalidOptionException("threads must be between 1 and 1024, not " + threads);
        }
    }

    /**
     * @return one thread per core that this process may use
     */
    public static BackendOptions defaults() {
        return new BackendOptions(Runtime.getRuntime().availableProcessors());
    }
}
