package org.pikv4j.loader.tokenizer;

import java.util.List;

/**
 * A pattern and what to put in place of its matches; a normalizer and a decoder of this kind exist.
 *
 * @param pattern what to look for
 * @param content what to put, as it stands
 */
record Replacement(TextPattern pattern, String content) {

    /**
     * @param text a text
     * @return the text with every match replaced
     */
    String apply(String text) {
        return apply(text, pattern.segments(text));
    }

    /**
     * @param text a text
     * @param segments what the pattern makes of it
     * @return the text with every match replaced
     */
    String apply(String text, List<Segment> segments) {
        StringBuilder result = new StringBuilder(text.length());
        for (Segment segment : segments) {
            if (segment.match()) {
                result.append(content);
            } else {
                result.append(text, segment.start(), segment.end());
            }
        }
        return result.toString();
    }
}
