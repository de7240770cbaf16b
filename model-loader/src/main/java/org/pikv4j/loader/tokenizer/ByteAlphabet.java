package org.pikv4j.loader.tokenizer;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The alphabet of byte-level tokenizers: each of the 256 bytes as one printable character. Bytes that are printable in
 * Latin-1 stand for themselves, the others for U+0100 and up, in order.
 *
 * <p>Source: {@code bytes_to_unicode} of GPT-2 (Radford et al. 2019).
 */
final class ByteAlphabet {
    private static final char[] CHARACTER = new char[256];
    /** The byte of a character, or -1. */
    private static final short[] BYTE = new short[512];

    static {
        Arrays.fill(BYTE, (short) -1);
        char next = 0x100;
        for (int b = 0; b < 256; b++) {
            boolean printable = b >= '!' && b <= '~' || b >= 0xA1 && b != 0xAD;
            CHARACTER[b] = printable ? (char) b : next++;
            BYTE[CHARACTER[b]] = (short) b;
        }
    }

    private ByteAlphabet() {}

    /**
     * @param text well-formed text
     * @return its UTF-8 bytes in the alphabet
     */
    static String encode(String text) {
        if (text.chars().allMatch(c -> c >= '!' && c <= '~')) {
            return text;
        }
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        char[] characters = new char[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            characters[i] = CHARACTER[bytes[i] & 0xFF];
        }
        return new String(characters);
    }

    /**
     * @param token a token
     * @return its bytes; a token with a character outside the alphabet is an added token and taken as UTF-8 text
     */
    static byte[] decode(String token) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(token.length());
        for (int i = 0; i < token.length(); i++) {
            char c = token.charAt(i);
            if (c >= BYTE.length || BYTE[c] < 0) {
                return token.getBytes(StandardCharsets.UTF_8);
            }
            bytes.write(BYTE[c]);
        }
        return bytes.toByteArray();
    }
}
