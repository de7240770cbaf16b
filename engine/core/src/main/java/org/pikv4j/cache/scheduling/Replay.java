package org.pikv4j.cache.scheduling;

/**
 * A policy's wish that the model reads text again before an eviction, behind an instruction, so that its queries can be watched.
 * What is read again is forgotten at once.
 *
 * @param instruction stands before each piece
 * @param tokens the most that a piece may have
 * @param recalled so many tokens before a piece stand between the instruction and it, to say where it begins
 */
public record Replay(String instruction, int tokens, int recalled) {}
