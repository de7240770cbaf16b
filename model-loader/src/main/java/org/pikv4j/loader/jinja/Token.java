package org.pikv4j.loader.jinja;

/**
 * A piece of a template's source.
 *
 * @param kind what it is
 * @param text the text, name, operator or the value of the literal
 * @param line where it begins
 */
record Token(Kind kind, String text, int line) {
    enum Kind {
        /** Text between tags. */
        DATA,
        OUTPUT_BEGIN,
        OUTPUT_END,
        BLOCK_BEGIN,
        BLOCK_END,
        NAME,
        STRING,
        INTEGER,
        FLOAT,
        OPERATOR,
        END
    }

    boolean is(Kind wanted, String value) {
        return kind == wanted && text.equals(value);
    }
}
