package org.pikv4j.calibration;

/**
 * A loss before and after it was minimised.
 *
 * @param before of the basis that was started from
 * @param after of the basis that was found
 */
public record Gain(double before, double after) {}
