package org.pikv4j.backend;

import org.pikv4j.error.InvalidOptionException;

/**
 * How a backend shall run.
 *
 * @param threads threads that compute
 * @param fused whether compressed pages may be multiplied as they are read; if not, each is decoded first, which is for
 *     comparisons
 */
public record BackendOptions(int threads, boolean fused) {

    public BackendOptions {
        if (threads < 1 || threads > 1024) {
            throw new InvalidOptionException("threads must be between 1 and 1024, not " + threads);
        }
    }

    /**
     * @param threads threads that compute
     */
    public BackendOptions(int threads) {
        this(threads, true);
    }

    /**
     * @return one thread per core that this process may use
     */
    public static BackendOptions defaults() {
        return new BackendOptions(Runtime.getRuntime().availableProcessors());
    }
}
