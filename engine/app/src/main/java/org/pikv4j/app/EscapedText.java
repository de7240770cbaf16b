package org.pikv4j.app;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads text in which {@code \n}, {@code \t}, {@code \r} and {@code \\} stand for what a shell makes hard to type. */
final class EscapedText implements ITypeConverter<String> {
    @Override
    public String convert(String value) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            text.append(c == '\\' ? escaped(value, ++i) : c);
        }
        return text.toString();
    }

    private static char escaped(String value, int index) {
        char c = index < value.length() ? value.charAt(index) : '\0';
        return switch (c) {
            case 'n' -> '\n';
            case 't' -> '\t';
            case 'r' -> '\r';
            case '\\' -> '\\';
            default ->
                throw new TypeConversionException("'" + value + "' has a \\ that is not part of \\n, \\t, \\r or \\\\");
        };
    }
}
