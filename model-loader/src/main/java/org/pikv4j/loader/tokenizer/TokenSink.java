package org.pikv4j.loader.tokenizer;

/**
 * Receives the tokens of a text being decoded: each as any number of chunks and an end. Chunks let a decoder that
 * fuses all tokens into one pass text on before the last token is known.
 */
interface TokenSink {

    /**
     * @param text the next text of the current token
     */
    void chunk(String text);

    /** The current token is complete. */
    void endToken();

    /** The last token is complete; called once, after its {@link #endToken}. */
    void finish();
}
