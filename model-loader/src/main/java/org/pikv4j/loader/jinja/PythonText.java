package org.pikv4j.loader.jinja;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntPredicate;

/** Text as Python has it: how values print, and the methods of strings where Java's differ. */
final class PythonText {
    private PythonText() {}

    static boolean isSpace(int codePoint) {
        return Character.isWhitespace(codePoint) || Character.isSpaceChar(codePoint) || codePoint == 0x85;
    }

    static String stripLeading(String text) {
        return strip(text, PythonText::isSpace, true, false);
    }

    static String stripTrailing(String text) {
        return strip(text, PythonText::isSpace, false, true);
    }

    /**
     * @param text a text
     * @param characters what to take away at the ends; white space if absent
     */
    static String strip(String text, Optional<String> characters, boolean leading, boolean trailing) {
        IntPredicate unwanted =
                characters.<IntPredicate>map(set -> c -> set.indexOf(c) >= 0).orElse(PythonText::isSpace);
        return strip(text, unwanted, leading, trailing);
    }

    private static String strip(String text, IntPredicate unwanted, boolean leading, boolean trailing) {
        int start = 0;
        int end = text.length();
        while (leading && start < end && unwanted.test(text.codePointAt(start))) {
            start += Character.charCount(text.codePointAt(start));
        }
        while (trailing && start < end && unwanted.test(text.codePointBefore(end))) {
            end -= Character.charCount(text.codePointBefore(end));
        }
        return text.substring(start, end);
    }

    /**
     * @param text a text
     * @param separator what to split at; runs of white space if absent
     * @param most how many splits at most; any number if negative
     * @param fromRight whether to begin at the end
     * @return the parts
     */
    static List<String> split(String text, Optional<String> separator, int most, boolean fromRight) {
        if (separator.isPresent() && separator.get().isEmpty()) {
            throw new TemplateException("empty separator");
        }
        List<String> parts = new ArrayList<>();
        // What is not split yet; without a separator the white space at the near end belongs to no part.
        int start = separator.isPresent() || fromRight
                ? 0
                : text.length() - stripLeading(text).length();
        int end = separator.isPresent() || !fromRight
                ? text.length()
                : stripTrailing(text).length();
        while (most < 0 || parts.size() < most) {
            int[] found = find(text, start, end, separator, fromRight);
            if (found[0] < 0) {
                break;
            }
            if (fromRight) {
                parts.add(text.substring(found[1], end));
                end = found[0];
            } else {
                parts.add(text.substring(start, found[0]));
                start = found[1];
            }
        }
        String rest = text.substring(start, end);
        if (separator.isPresent() || !stripLeading(rest).isEmpty()) {
            parts.add(rest);
        }
        return fromRight ? parts.reversed() : parts;
    }

    /** Start and end of the next separator between two places, or -1. */
    private static int[] find(String text, int start, int end, Optional<String> separator, boolean fromRight) {
        if (separator.isPresent()) {
            int length = separator.get().length();
            int at = fromRight ? text.lastIndexOf(separator.get(), end - length) : text.indexOf(separator.get(), start);
            return new int[] {at < start || at + length > end ? -1 : at, at + length};
        }
        // All white space is in the basic plane.
        int at = fromRight ? end - 1 : start;
        int step = fromRight ? -1 : 1;
        while (at >= start && at < end && !isSpace(text.charAt(at))) {
            at += step;
        }
        int beyond = at;
        while (beyond >= start && beyond < end && isSpace(text.charAt(beyond))) {
            beyond += step;
        }
        if (at == beyond) {
            return new int[] {-1, -1};
        }
        return fromRight ? new int[] {beyond + 1, at + 1} : new int[] {at, beyond};
    }

    /** Each word with a capital and the rest small; letters after anything else begin a word. */
    static String title(String text) {
        StringBuilder result = new StringBuilder(text.length());
        boolean inWord = false;
        for (int c : text.codePoints().toArray()) {
            result.appendCodePoint(inWord ? Character.toLowerCase(c) : Character.toTitleCase(c));
            inWord = Character.isLetter(c);
        }
        return result.toString();
    }

    static String capitalize(String text) {
        if (text.isEmpty()) {
            return text;
        }
        int first = text.offsetByCodePoints(0, 1);
        return text.substring(0, first).toUpperCase(Locale.ROOT)
                + text.substring(first).toLowerCase(Locale.ROOT);
    }

    /**
     * @param value a value
     * @return what {@code str()} makes of it
     */
    static String str(Value value) {
        return value instanceof Value.Text text ? text.value() : repr(value);
    }

    private static String repr(Value value) {
        StringBuilder out = new StringBuilder();
        repr(value, out);
        return out.toString();
    }

    private static void repr(Value value, StringBuilder out) {
        switch (value) {
            case Value.Undefined undefined -> {}
            case Value.None none -> out.append("None");
            case Value.Bool bool -> out.append(bool.value() ? "True" : "False");
            case Value.Int number -> out.append(number.value());
            case Value.Real number -> out.append(number(number.value()));
            case Value.Text text -> quote(text.value(), out);
            case Value.Sequence sequence -> {
                out.append(sequence.tuple() ? '(' : '[');
                Iterator<Value> items = sequence.items().iterator();
                while (items.hasNext()) {
                    repr(items.next(), out);
                    out.append(
                            items.hasNext()
                                    ? ", "
                                    : sequence.tuple() && sequence.items().size() == 1 ? "," : "");
                }
                out.append(sequence.tuple() ? ')' : ']');
            }
            case Value.Mapping mapping -> {
                out.append('{');
                Iterator<Map.Entry<Value, Value>> entries =
                        mapping.entries().entrySet().iterator();
                while (entries.hasNext()) {
                    Map.Entry<Value, Value> entry = entries.next();
                    repr(entry.getKey(), out);
                    out.append(": ");
                    repr(entry.getValue(), out);
                    out.append(entries.hasNext() ? ", " : "");
                }
                out.append('}');
            }
            case Value.Namespace namespace -> out.append("<Namespace>");
            case Value.Callable callable -> out.append("<function>");
        }
    }

    private static void quote(String text, StringBuilder out) {
        char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
        out.append(quote);
        text.codePoints().forEach(c -> {
            switch (c) {
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\\' -> out.append("\\\\");
                default -> {
                    if (c == quote) {
                        out.append('\\');
                    }
                    out.append(c < ' ' || c == 127 ? String.format("\\x%02x", c) : Character.toString(c));
                }
            }
        });
        out.append(quote);
    }

    /** As Python prints a float, but for the exponents of very large and very small ones. */
    static String number(double value) {
        return Double.isNaN(value)
                ? "nan"
                : Double.isInfinite(value) ? value > 0 ? "inf" : "-inf" : Double.toString(value);
    }
}
