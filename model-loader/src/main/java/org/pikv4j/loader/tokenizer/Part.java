package org.pikv4j.loader.tokenizer;

/** What a text consists of once the added tokens are taken out: pieces of text and ids. */
sealed interface Part {

    /**
     * Text that is still to be tokenized.
     *
     * @param text never empty in a list of parts
     * @param atStart whether its first character is also the first of the whole input, for Metaspace's scheme
     *     {@code first}
     */
    record Piece(String text, boolean atStart) implements Part {

        /**
         * @param start index of the first character
         * @param end index behind the last one
         * @return a part of this piece
         */
        Piece slice(int start, int end) {
            return start == 0 && end == text.length()
                    ? this
                    : new Piece(text.substring(start, end), atStart && start == 0);
        }
    }

    /**
     * An added token.
     *
     * @param id its id
     */
    record Added(int id) implements Part {}
}
