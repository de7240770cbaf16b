package org.pikv4j.loader.chat;

import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** Dates as {@code strftime} of C and Python writes them, in English. */
final class Strftime {
    private Strftime() {}

    /**
     * @param format with directives such as {@code %Y-%m-%d}; one that is unknown stands for itself
     * @param time the time to write
     * @return the text
     */
    static String format(String format, ZonedDateTime time) {
        StringBuilder text = new StringBuilder();
        for (int at = 0; at < format.length(); at++) {
            char c = format.charAt(at);
            if (c != '%' || at + 1 == format.length()) {
                text.append(c);
                continue;
            }
            boolean unpadded = format.charAt(at + 1) == '-' && at + 2 < format.length();
            at += unpadded ? 2 : 1;
            String value = directive(format.charAt(at), time);
            text.append(unpadded ? value.replaceFirst("^0(?=\\d)", "") : value);
        }
        return text.toString();
    }

    private static String directive(char directive, ZonedDateTime time) {
        String pattern = switch (directive) {
            case 'Y' -> "yyyy";
            case 'y' -> "yy";
            case 'm' -> "MM";
            case 'd' -> "dd";
            case 'B' -> "MMMM";
            case 'b', 'h' -> "MMM";
            case 'A' -> "EEEE";
            case 'a' -> "EEE";
            case 'H' -> "HH";
            case 'I' -> "hh";
            case 'M' -> "mm";
            case 'S' -> "ss";
            case 'f' -> "SSSSSS";
            case 'p' -> "a";
            case 'j' -> "DDD";
            case 'F' -> "yyyy-MM-dd";
            case 'T' -> "HH:mm:ss";
            case 'D' -> "MM/dd/yy";
            case 'R' -> "HH:mm";
            default -> "";
        };
        if (pattern.isEmpty()) {
            return directive == '%' ? "%" : "%" + directive;
        }
        return DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH).format(time);
    }
}
