package org.pikv4j.cli;

import java.io.Console;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;

/** The three standard streams, and whether a person sits at their other end. */
public enum Terminal {
    IN(0),
    OUT(1),
    ERR(2);

    /** Set by the launcher, which asks the terminal. */
    private static final String COLUMNS = "pikv.terminal.columns";

    private final int descriptor;

    Terminal(int descriptor) {
        this.descriptor = descriptor;
    }

    /**
     * @return the width of the terminal at stderr, if it is known
     */
    public static OptionalInt columns() {
        int columns = Integer.getInteger(COLUMNS, 0);
        return columns > 0 ? OptionalInt.of(columns) : OptionalInt.empty();
    }

    /**
     * @return whether the stream is a terminal
     */
    public boolean present() {
        // The JDK can tell only whether stdin and stdout both are one, which says nothing about "2>log" or "| less".
        Path link = Path.of("/proc/self/fd/" + descriptor);
        try {
            String target = Files.readSymbolicLink(link).toString();
            return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty") || target.equals("/dev/console");
        } catch (IOException | UnsupportedOperationException e) {
            return Optional.ofNullable(System.console())
                    .map(Console::isTerminal)
                    .orElse(false);
        }
    }
}
