package org.pikv4j.app;

import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/** Tables of a name and what is to be said of it. */
final class Rows {
    private Rows() {}

    static String row(String name, String value) {
        return String.format(Locale.ROOT, "%-14s%s", name, value);
    }

    static String text(List<String> lines) {
        return lines.stream().map(line -> line.stripTrailing() + "\n").collect(Collectors.joining());
    }

    /** A number of parameters, in millions or billions where it is large. */
    static String count(long number) {
        double billions = number / 1e9;
        if (billions >= 1) {
            return String.format(Locale.ROOT, "%.2f billion", billions);
        }
        return number >= 1_000_000
                ? String.format(Locale.ROOT, "%.2f million", number / 1e6)
                : String.format(Locale.ROOT, "%,d", number);
    }
}
