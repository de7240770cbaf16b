package org.pikv4j.launcher;

/** Starts the real main. */
public final class Launcher {
    private Launcher() {}

    public static void main(String[] args) {
        System.err.println("The launcher is not written yet; start the real main with java -cp.");
        System.exit(3);
    }
}
