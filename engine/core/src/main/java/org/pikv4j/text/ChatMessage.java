package org.pikv4j.text;

/**
 * One turn of a conversation.
 *
 * @param role {@code system}, {@code user}, {@code assistant}, or what else the model's template knows
 * @param content the text of the turn
 */
public record ChatMessage(String role, String content) {}
