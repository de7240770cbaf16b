package org.pikv4j.launcher;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The width of the terminal at stderr. The launcher asks for it on behalf of the child: it has loaded what starts a process
 * anyway.
 */
final class Columns {
    /** What the child reads; absent where the width is not known. */
    private static final String PROPERTY = "pikv.terminal.columns";

    private static final Pattern SIZE = Pattern.compile("\\d{1,9} (\\d{1,9})");

    private Columns() {}

    /**
     * The terminal's own answer, which follows when a window is resized, else the variable {@code COLUMNS}; 0 if neither
     * tells.
     */
    static int find(Map<String, String> environment) {
        int asked = ofStty(ask());
        return asked > 0 ? asked : ofVariable(environment.getOrDefault("COLUMNS", ""));
    }

    static String option(int columns) {
        return "-D" + PROPERTY + "=" + columns;
    }

    /** In the child: the width, 0 if it is not known. */
    static int inChild() {
        return Integer.getInteger(PROPERTY, 0);
    }

    /** {@code rows columns}; a terminal that does not know says {@code 0 0}. */
    static int ofStty(String answer) {
        Matcher matcher = SIZE.matcher(answer.strip());
        return matcher.matches() ? Integer.parseInt(matcher.group(1)) : 0;
    }

    static int ofVariable(String value) {
        return value.matches("\\d{1,9}") ? Integer.parseInt(value) : 0;
    }

    /** {@code stty} looks at its stdin. */
    private static String ask() {
        try {
            Process stty = new ProcessBuilder("stty", "size")
                    .redirectInput(new File("/proc/self/fd/2"))
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            try (InputStream out = stty.getInputStream()) {
                return new String(out.readAllBytes(), StandardCharsets.US_ASCII);
            } finally {
                stty.waitFor(1, TimeUnit.SECONDS);
            }
        } catch (IOException e) {
            return ""; // no such command, or no /proc
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "";
        }
    }
}
