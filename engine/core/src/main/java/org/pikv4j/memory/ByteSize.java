package org.pikv4j.memory;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.pikv4j.error.InvalidOptionException;

/** Sizes as people write them: {@code 512MiB}, {@code 1.5g}, {@code 4096}. Units are powers of 1024. */
public final class ByteSize {
    private static final Pattern FORM =
            Pattern.compile("\\s*(\\d{1,18}(?:\\.\\d{1,9})?)\\s*([kmgt]?)(?:i?b)?\\s*", Pattern.CASE_INSENSITIVE);
    private static final String UNITS = "kmgt";

    private ByteSize() {}

    /**
     * @param text a number with or without a unit
     * @return the bytes
     * @throws InvalidOptionException if it is no such thing, or beyond what can be addressed
     */
    public static long parse(String text) {
        Matcher matcher = FORM.matcher(text);
        if (!matcher.matches()) {
            throw new InvalidOptionException("'" + text + "' is no size; write for instance 512MiB, 2GiB or 1048576");
        }
        int power = 1 + UNITS.indexOf(matcher.group(2).toLowerCase(Locale.ROOT));
        double bytes = matcher.group(2).isEmpty()
                ? Double.parseDouble(matcher.group(1))
                : Double.parseDouble(matcher.group(1)) * Math.pow(1024, power);
        if (bytes >= 0x1p62) {
            throw new InvalidOptionException("'" + text + "' is more than any machine has");
        }
        return (long) bytes;
    }

    /**
     * @param bytes a size
     * @return it with a unit and three digits, for instance {@code 1.46 MiB}
     */
    public static String format(long bytes) {
        if (bytes < 1024) {
            return bytes + " B";
        }
        double value = bytes;
        int unit = -1;
        while (value >= 1023.5 && unit < UNITS.length() - 1) {
            value /= 1024;
            unit++;
        }
        int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
        return String.format(Locale.ROOT, "%." + decimals + "f %siB", value, Character.toUpperCase(UNITS.charAt(unit)));
    }
}
