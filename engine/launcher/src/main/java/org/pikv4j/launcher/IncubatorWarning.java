package org.pikv4j.launcher;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;

/**
 * Keeps one line from the user: {@code WARNING: Using incubator modules: jdk.incubator.vector}. The JVM prints it on
 * stderr while it starts whenever the Vector API is there, and has no option against it.
 *
 * <p>Where stderr is a file or a pipe, the launcher copies it and leaves that line out. Where it is a terminal, the child
 * keeps the terminal, because a copy could be overtaken by what goes to stdout, and takes the line back as the first thing
 * it does, if it takes one row. Where any of this cannot be told, the line stays.
 */
final class IncubatorWarning {
    static final byte[] PREFIX = "WARNING: Using incubator modules: ".getBytes(StandardCharsets.US_ASCII);

    /** Up one line, and clear it. */
    private static final String TAKE_BACK = "\u001b[1A\u001b[2K";

    /** The line has 54 characters. In a narrower terminal it takes rows that are not ours to count. */
    private static final int ONE_ROW = 60;

    private static final String PROPERTY = "pikv.launcher.takeback";

    /** What stderr is. */
    enum Stderr {
        TERMINAL,
        STREAM,
        UNKNOWN
    }

    private IncubatorWarning() {}

    static Stderr stderr(Map<String, String> environment) {
        Path link = Path.of("/proc/self/fd/2");
        try {
            String target = Files.readSymbolicLink(link).toString();
            boolean device =
                    target.startsWith("/dev/pts/") || target.startsWith("/dev/tty") || target.equals("/dev/console");
            if (!device) {
                return target.startsWith("/dev/") && !target.equals("/dev/null") ? Stderr.UNKNOWN : Stderr.STREAM;
            }
        } catch (IOException | UnsupportedOperationException e) {
            return Stderr.UNKNOWN;
        }
        String terminal = environment.getOrDefault("TERM", "").toLowerCase(Locale.ROOT);
        return terminal.isEmpty() || terminal.equals("dumb") ? Stderr.UNKNOWN : Stderr.TERMINAL;
    }

    /** The option that tells the child to take the line back. */
    static String takeBackOption() {
        return "-D" + PROPERTY + "=true";
    }

    /** In the child, before anything else is printed. */
    static void takeBack() {
        if (Boolean.getBoolean(PROPERTY) && Columns.inChild() >= ONE_ROW) {
            System.err.print(TAKE_BACK);
            System.err.flush();
        }
    }

    /** Copies everything up to the end, as it comes, but for the first line that starts with {@link #PREFIX}. */
    static void copyWithout(InputStream in, OutputStream out) throws IOException {
        byte[] buffer = new byte[8192];
        int matched = 0; // so many bytes of the prefix were read from the start of a line, and are held back
        boolean lineStart = true;
        boolean dropping = false;
        boolean done = false;
        for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
            int from = 0;
            for (int i = 0; i < n && !done; i++) {
                byte b = buffer[i];
                if (dropping) {
                    done = b == '\n';
                    from = i + 1;
                } else if (lineStart && b == PREFIX[matched]) {
                    from = i + 1;
                    dropping = ++matched == PREFIX.length;
                } else {
                    out.write(PREFIX, 0, matched);
                    // Bytes of this line that were already let through lie before the first one held back.
                    matched = 0;
                    lineStart = b == '\n';
                    out.write(b);
                    from = i + 1;
                }
            }
            out.write(buffer, from, n - from);
            out.flush();
        }
        if (!dropping) {
            out.write(PREFIX, 0, matched);
        }
        out.flush();
    }
}
