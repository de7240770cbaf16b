package org.pikv4j.launcher;

/** Why nothing can be started; its message is the one line that the user reads. */
final class LaunchException extends Exception {
    private static final long serialVersionUID = 1L;

    LaunchException(String message) {
        super(message);
    }
}
