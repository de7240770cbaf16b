package org.pikv4j.cli;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads bandwidths such as {@code 24GB/s}, as bytes per second: GB are powers of 1000, GiB of 1024. */
public final class BandwidthConverter implements ITypeConverter<Double> {
    private static final Pattern FORM =
            Pattern.compile("(\\d{1,9}(?:\\.\\d{1,9})?)\\s*([kmgt])(i?)b(?:/s)?", Pattern.CASE_INSENSITIVE);
    private static final String UNITS = "kmgt";

    @Override
    public Double convert(String value) {
        Matcher matcher = FORM.matcher(value.strip());
        if (!matcher.matches() || Double.parseDouble(matcher.group(1)) == 0) {
            throw new TypeConversionException("'" + value + "' is no bandwidth; write for instance 24GB/s");
        }
        int power = 1 + UNITS.indexOf(matcher.group(2).toLowerCase(Locale.ROOT));
        return Double.parseDouble(matcher.group(1)) * Math.pow(matcher.group(3).isEmpty() ? 1000 : 1024, power);
    }
}
