package org.pikv4j.loader.jinja;

/** The escapes of Python's string literals. */
final class StringLiterals {
    private StringLiterals() {}

    /**
     * @param quoted what stands between the quotes
     * @return the string; a backslash before any other character stands for itself
     */
    static String value(String quoted) {
        if (quoted.indexOf('\\') < 0) {
            return quoted;
        }
        StringBuilder value = new StringBuilder(quoted.length());
        int at = 0;
        while (at < quoted.length()) {
            char c = quoted.charAt(at++);
            if (c != '\\' || at == quoted.length()) {
                value.append(c);
                continue;
            }
            char escaped = quoted.charAt(at++);
            switch (escaped) {
                case 'n' -> value.append('\n');
                case 't' -> value.append('\t');
                case 'r' -> value.append('\r');
                case 'a' -> value.append('\007');
                case 'b' -> value.append('\b');
                case 'f' -> value.append('\f');
                case 'v' -> value.append('\013');
                case '\n' -> {}
                case '\\', '\'', '"' -> value.append(escaped);
                case 'x' -> at = hexadecimal(quoted, at, 2, value);
                case 'u' -> at = hexadecimal(quoted, at, 4, value);
                case 'U' -> at = hexadecimal(quoted, at, 8, value);
                default -> value.append('\\').append(escaped);
            }
        }
        return value.toString();
    }

    private static int hexadecimal(String quoted, int at, int length, StringBuilder value) {
        String digits = quoted.substring(at, Math.min(quoted.length(), at + length));
        if (!digits.matches("[0-9A-Fa-f]{" + length + "}")
                || !Character.isValidCodePoint((int) Long.parseLong(digits, 16))) {
            throw new TemplateException("malformed escape in a string");
        }
        value.appendCodePoint((int) Long.parseLong(digits, 16));
        return at + length;
    }
}
