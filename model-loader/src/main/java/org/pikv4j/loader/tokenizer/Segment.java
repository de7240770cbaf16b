package org.pikv4j.loader.tokenizer;

/**
 * A stretch of a text, either matched by a pattern or between two matches.
 *
 * @param start the index of its first character (UTF-16)
 * @param end the index behind its last one
 * @param match whether the pattern matched it
 */
record Segment(int start, int end, boolean match) {}
