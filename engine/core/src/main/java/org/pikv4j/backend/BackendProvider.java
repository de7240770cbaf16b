package org.pikv4j.backend;

/** Makes one kind of backend. Found by {@link java.util.ServiceLoader}, or given to the engine's builder. */
public interface BackendProvider {

    /**
     * @return its name in options, lower case
     */
    String name();

    /**
     * @return order under {@code auto}: the highest that is available is taken
     */
    int preference();

    /**
     * Looks whether it can run here; never throws.
     *
     * @return available, or why not and what would mend it
     */
    BackendStatus probe();

    /**
     * Called only where {@link #probe} says that it is available.
     *
     * @param options how it shall run
     * @return a backend, which the caller closes
     * @throws org.pikv4j.error.BackendUnavailableException if it cannot run here after all
     */
    Backend open(BackendOptions options);
}
