package org.pikv4j.loader.tokenizer;

/** UTF-8 with errors or in pieces, and strings that are not well-formed. */
final class Utf8 {
    private Utf8() {}

    /**
     * Decodes as far as what may follow cannot change it. Each longest beginning of a character that goes wrong becomes
     * one U+FFFD, as the Unicode standard recommends (3.9, "U+FFFD Substitution of Maximal Subparts") and Rust has it;
     * Java's own decoder makes one of a whole surrogate in three bytes.
     *
     * @param bytes text in UTF-8, possibly with errors
     * @param last whether nothing follows
     * @param out receives the text
     * @return how many bytes were decoded; less than all only where a character is cut short and something may follow
     */
    static int decode(byte[] bytes, boolean last, StringBuilder out) {
        int at = 0;
        while (at < bytes.length) {
            int lead = bytes[at] & 0xFF;
            int length = lengthOf(lead);
            int valid = 1;
            int codePoint = length == 1 ? lead : lead & 0x7F >> length;
            while (valid < length && at + valid < bytes.length && continues(lead, valid, bytes[at + valid] & 0xFF)) {
                codePoint = codePoint << 6 | bytes[at + valid] & 0x3F;
                valid++;
            }
            if (valid < length && at + valid == bytes.length && !last) {
                return at;
            }
            out.appendCodePoint(valid < length || length == 0 ? 0xFFFD : codePoint);
            at += valid;
        }
        return at;
    }

    /** Length of the character that a byte begins, or 0 where it begins none. */
    private static int lengthOf(int lead) {
        if (lead < 0x80) {
            return 1;
        }
        return lead < 0xC2 || lead > 0xF4 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    }

    /** Whether a byte may stand at that index of a character (The Unicode Standard, table 3-7). */
    private static boolean continues(int lead, int index, int b) {
        boolean second = index == 1;
        int least = second && lead == 0xE0 ? 0xA0 : second && lead == 0xF0 ? 0x90 : 0x80;
        int most = second && lead == 0xED ? 0x9F : second && lead == 0xF4 ? 0x8F : 0xBF;
        return b >= least && b <= most;
    }

    /**
     * @param text any string
     * @return the string with each unpaired surrogate replaced by U+FFFD
     */
    static String wellFormed(String text) {
        for (int at = 0; at < text.length(); at++) {
            if (Character.isSurrogate(text.charAt(at))) {
                StringBuilder result = new StringBuilder(text.length());
                text.codePoints()
                        .map(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE ? 0xFFFD : c)
                        .forEach(result::appendCodePoint);
                return result.toString();
            }
        }
        return text;
    }
}
