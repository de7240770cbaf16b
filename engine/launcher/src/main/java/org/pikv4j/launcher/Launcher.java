package org.pikv4j.launcher;

/** Starts the real main. */
public final class Launcher {
    private Launcher() {}

    public static void main(String[] args) {
        throw new UnsupportedOperationException("not yet");
    }
}
