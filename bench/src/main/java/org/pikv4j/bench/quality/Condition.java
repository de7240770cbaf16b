package org.pikv4j.bench.quality;

/**
 * What is measured together.
 *
 * @param mode when tokens are forgotten
 * @param policy what chooses them, as the report calls it
 * @param share of the tokens that shall stay, or be read
 */
record Condition(Mode mode, String policy, double share) {}
