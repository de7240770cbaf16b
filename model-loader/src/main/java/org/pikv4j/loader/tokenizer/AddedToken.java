package org.pikv4j.loader.tokenizer;

/**
 * A token that is found in the text before anything else happens to it.
 *
 * @param content the token
 * @param singleWord whether it counts only where no word character touches it
 * @param stripLeft whether it swallows the white space before it
 * @param stripRight whether it swallows the white space behind it
 * @param normalized whether its normal form is looked for in the normalized text, and not the token in the raw text
 * @param special whether it is no text
 */
record AddedToken(
        String content,
        boolean singleWord,
        boolean stripLeft,
        boolean stripRight,
        boolean normalized,
        boolean special) {}
