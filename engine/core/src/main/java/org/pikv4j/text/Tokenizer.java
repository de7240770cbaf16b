package org.pikv4j.text;

import java.util.OptionalInt;

/** Text to token ids and back. Implementations are immutable and safe for use by many threads. */
public interface Tokenizer {

    /**
     * @param text any string
     * @param addSpecialTokens whether to apply the post-processor's template (for instance a leading {@code <s>})
     * @return the token ids
     */
    int[] encode(String text, boolean addSpecialTokens);

    /**
     * @param ids token ids; ids outside the vocabulary decode to nothing
     * @param skipSpecialTokens whether special tokens are left out of the text
     * @return the text; bytes that are no valid UTF-8 become U+FFFD
     */
    String decode(int[] ids, boolean skipSpecialTokens);

    /**
     * Incremental decoding for streamed text.
     *
     * @param skipSpecialTokens whether special tokens are left out of the text
     * @return a new decoder for one stream; not safe for use by many threads
     */
    TokenStream stream(boolean skipSpecialTokens);

    /**
     * @return the largest id plus one, added tokens included
     */
    int vocabularySize();

    /**
     * @param token a token as the vocabulary spells it, for instance {@code <|im_end|>}
     * @return its id, if there is such a token
     */
    OptionalInt id(String token);

    /**
     * @param id a token id
     * @return whether it is a special token (one that is no text, such as {@code <s>})
     */
    boolean isSpecial(int id);
}
