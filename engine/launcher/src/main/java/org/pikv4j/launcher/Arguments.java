package org.pikv4j.launcher;

import java.util.ArrayList;
import java.util.List;

/** Splits text into the arguments of a JVM, by the rules of the {@code java} command's own argument files. */
final class Arguments {
    private Arguments() {}

    /**
     * White space separates; quotes of either kind keep it; within quotes a backslash escapes, and one at the end of a
     * line continues on the next; outside of quotes {@code #} begins a comment that ends with its line.
     *
     * @throws LaunchException if a quote stays open; the message starts with {@code source}
     */
    static List<String> split(String text, String source) throws LaunchException {
        List<String> arguments = new ArrayList<>();
        StringBuilder argument = new StringBuilder();
        boolean inside = false; // of an argument, which may be empty: ""
        int n = text.length();
        for (int i = 0; i < n; i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\'') {
                inside = true;
                i = quoted(text, i, argument, source);
            } else if (Character.isWhitespace(c)) {
                if (inside) {
                    arguments.add(argument.toString());
                    argument.setLength(0);
                    inside = false;
                }
            } else if (c == '#' && !inside) {
                while (i + 1 < n && text.charAt(i + 1) != '\n' && text.charAt(i + 1) != '\r') {
                    i++;
                }
            } else {
                inside = true;
                argument.append(c);
            }
        }
        if (inside) {
            arguments.add(argument.toString());
        }
        return arguments;
    }

    /** Appends what stands between the quote at {@code start} and its partner, whose index is returned. */
    private static int quoted(String text, int start, StringBuilder argument, String source) throws LaunchException {
        char quote = text.charAt(start);
        int i = start + 1;
        for (; i < text.length() && text.charAt(i) != quote; i++) {
            char c = text.charAt(i);
            if (c != '\\' || i + 1 == text.length()) {
                argument.append(c);
                continue;
            }
            char escaped = text.charAt(++i);
            switch (escaped) {
                case 'n' -> argument.append('\n');
                case 'r' -> argument.append('\r');
                case 't' -> argument.append('\t');
                case 'f' -> argument.append('\f');
                case '\n', '\r' -> {
                    // Continued: the indentation of the next line does not count.
                    while (i + 1 < text.length() && Character.isWhitespace(text.charAt(i + 1))) {
                        i++;
                    }
                }
                default -> argument.append(escaped);
            }
        }
        if (i == text.length()) {
            throw new LaunchException(source + " has a quote that is not closed");
        }
        return i;
    }
}
