package org.pikv4j.plan;

/**
 * A setting that fits where the one asked for does not.
 *
 * @param options what to change, as options are typed
 * @param deviceBytes what the fullest device takes then
 * @param remark what it costs
 */
public record Suggestion(String options, long deviceBytes, String remark) {}
