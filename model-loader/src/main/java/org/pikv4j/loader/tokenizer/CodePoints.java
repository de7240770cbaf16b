package org.pikv4j.loader.tokenizer;

/** Kinds of characters as Rust and its regular expressions have them; Java's own predicates differ in places. */
final class CodePoints {
    /** Members of {@code \w} in Rust's regular expressions, for a pattern in Oniguruma's syntax, whose own differs. */
    static final String RUST_WORD = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\x{200C}\\x{200D}";

    private static final int PUNCTUATION = 1 << Character.CONNECTOR_PUNCTUATION
            | 1 << Character.DASH_PUNCTUATION
            | 1 << Character.START_PUNCTUATION
            | 1 << Character.END_PUNCTUATION
            | 1 << Character.INITIAL_QUOTE_PUNCTUATION
            | 1 << Character.FINAL_QUOTE_PUNCTUATION
            | 1 << Character.OTHER_PUNCTUATION;
    private static final int MARK =
            1 << Character.NON_SPACING_MARK | 1 << Character.COMBINING_SPACING_MARK | 1 << Character.ENCLOSING_MARK;
    private static final int NUMERIC =
            1 << Character.DECIMAL_DIGIT_NUMBER | 1 << Character.LETTER_NUMBER | 1 << Character.OTHER_NUMBER;

    private CodePoints() {}

    /**
     * @param codePoint a character
     * @return whether it has the property White_Space
     */
    static boolean isWhiteSpace(int codePoint) {
        return Character.isSpaceChar(codePoint) || codePoint >= '\t' && codePoint <= '\r' || codePoint == 0x85;
    }

    /**
     * @param codePoint a character
     * @return whether it is part of a word, as {@link #RUST_WORD}
     */
    static boolean isWord(int codePoint) {
        return Character.isAlphabetic(codePoint)
                || is(codePoint, MARK | 1 << Character.DECIMAL_DIGIT_NUMBER | 1 << Character.CONNECTOR_PUNCTUATION)
                || codePoint == 0x200C
                || codePoint == 0x200D;
    }

    /**
     * @param codePoint a character
     * @return whether it is a combining mark
     */
    static boolean isMark(int codePoint) {
        return is(codePoint, MARK);
    }

    /**
     * @param codePoint a character
     * @return whether it is a number of any kind
     */
    static boolean isNumeric(int codePoint) {
        return is(codePoint, NUMERIC);
    }

    /**
     * @param codePoint a character
     * @return whether it is punctuation; in ASCII also the symbols
     */
    static boolean isPunctuation(int codePoint) {
        boolean asciiSymbol =
                codePoint < 128 && codePoint > ' ' && codePoint != 127 && !Character.isLetterOrDigit(codePoint);
        return asciiSymbol || is(codePoint, PUNCTUATION);
    }

    private static boolean is(int codePoint, int types) {
        return (types >> Character.getType(codePoint) & 1) != 0;
    }

    /**
     * @param text a text
     * @param from an index
     * @return the index behind the white space that begins there
     */
    static int endOfSpace(String text, int from) {
        int end = from;
        // All white space is in the basic plane.
        while (end < text.length() && isWhiteSpace(text.charAt(end))) {
            end++;
        }
        return end;
    }

    /**
     * @param text a text
     * @param to an index
     * @return the index of the first of the white space that ends there
     */
    static int startOfSpace(String text, int to) {
        int start = to;
        while (start > 0 && isWhiteSpace(text.charAt(start - 1))) {
            start--;
        }
        return start;
    }
}
