package org.pikv4j.cli;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads numbers of tokens such as {@code 131072} and {@code 128K}, K being 1024. */
public final class TokenCountConverter implements ITypeConverter<Integer> {
    private static final Pattern FORM = Pattern.compile("(\\d{1,10})([km]?)", Pattern.CASE_INSENSITIVE);
    private static final int K = 1024;

    @Override
    public Integer convert(String value) {
        Matcher matcher = FORM.matcher(value);
        if (!matcher.matches()) {
            throw new TypeConversionException(
                    "'" + value + "' is no number of tokens; write for instance 131072 or 128K");
        }
        long unit = switch (matcher.group(2).toLowerCase(Locale.ROOT)) {
            case "k" -> K;
            case "m" -> K * K;
            default -> 1;
        };
        long tokens = Long.parseLong(matcher.group(1)) * unit;
        if (tokens > Integer.MAX_VALUE) {
            throw new TypeConversionException("'" + value + "' is more tokens than any cache holds");
        }
        return (int) tokens;
    }
}
