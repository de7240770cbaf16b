package org.pikv4j.text;

/** Turns token ids into text one by one and never emits half a character. */
public interface TokenStream {

    /**
     * @param id the next token id
     * @return the text that has become certain with it, possibly empty
     */
    String accept(int id);

    /**
     * @return what was held back, with incomplete characters as U+FFFD; the stream is at its end
     */
    String finish();
}
