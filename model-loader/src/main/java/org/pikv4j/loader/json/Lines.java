package org.pikv4j.loader.json;

/** Text from a file, made fit to stand in a message of one line. */
public final class Lines {
    private static final int LONGEST = 120;

    private Lines() {}

    /**
     * @param text anything a file may hold
     * @return the text with control characters and lone surrogates escaped, cut off after 120 characters
     */
    public static String quote(String text) {
        StringBuilder line = new StringBuilder();
        text.codePoints().limit(LONGEST).forEach(c -> {
            int type = Character.getType(c);
            if (Character.isISOControl(c)
                    || type == Character.SURROGATE
                    || type == Character.FORMAT
                    || type == Character.LINE_SEPARATOR
                    || type == Character.PARAGRAPH_SEPARATOR) {
                line.append(String.format("\\u%04x", c));
            } else {
                line.appendCodePoint(c);
            }
        });
        if (text.codePoints().skip(LONGEST).findAny().isPresent()) {
            line.append('…');
        }
        return line.toString();
    }
}
