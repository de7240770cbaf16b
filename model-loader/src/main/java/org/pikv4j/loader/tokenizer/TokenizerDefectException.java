package org.pikv4j.loader.tokenizer;

/**
 * What a tokenizer file asks for cannot be done: a pattern that is malformed, not supported or takes too many steps on
 * a text, an unknown token that is not in the vocabulary. Who knows the file says so in a ModelFormatException.
 */
final class TokenizerDefectException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    TokenizerDefectException(String message) {
        super(message);
    }

    TokenizerDefectException(String message, Throwable cause) {
        super(message, cause);
    }
}
