package org.pikv4j.backend;

/** Whether a backend can run here. */
public sealed interface BackendStatus {

    /**
     * @param detail what it found, for people
     */
    record Available(String detail) implements BackendStatus {}

    /**
     * @param reason why it cannot run
     * @param remedy which flag, variable or package would mend it
     */
    record Unavailable(String reason, String remedy) implements BackendStatus {}
}
