package org.pikv4j.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * e^x for x ≤ 0 in float lanes: x = n·ln 2 + r with |r| ≤ ln 2 / 2, a polynomial for e^r (coefficients of the Cephes
 * library's expf), and n added to the exponent. Relative error below 2e-7; below −87, where the result would leave the
 * normal numbers, it is 0. Written out, and not left to a platform's math library, so that all machines agree.
 */
final class VectorExp {
    private static final float SMALLEST = -87f;
    private static final float LOG2_E = 1.442695041f;
    private static final float LN2_HIGH = 0.693359375f;
    private static final float LN2_LOW = -2.12194440e-4f;
    /**
     * Adding and subtracting this rounds to the nearest integer; in between, the integer is what the lowest bits say. (The
     * API's conversion takes ten instructions for what is not a number here.)
     */
    private static final float ROUND = 0x1.8p23f;

    private VectorExp() {}

    static FloatVector exp(VectorSpecies<Float> floats, FloatVector x) {
        VectorMask<Float> tooSmall = x.compare(VectorOperators.LT, SMALLEST); // false for NaN, which stays
        FloatVector bounded = x.blend(SMALLEST, tooSmall);
        FloatVector rounded = bounded.fma(FloatVector.broadcast(floats, LOG2_E), FloatVector.broadcast(floats, ROUND));
        FloatVector n = rounded.sub(ROUND);
        FloatVector r = n.fma(FloatVector.broadcast(floats, -LN2_HIGH), bounded);
        r = n.fma(FloatVector.broadcast(floats, -LN2_LOW), r);
        FloatVector p = FloatVector.broadcast(floats, 1.9875691500e-4f);
        p = p.fma(r, FloatVector.broadcast(floats, 1.3981999507e-3f));
        p = p.fma(r, FloatVector.broadcast(floats, 8.3334519073e-3f));
        p = p.fma(r, FloatVector.broadcast(floats, 4.1665795894e-2f));
        p = p.fma(r, FloatVector.broadcast(floats, 1.6666665459e-1f));
        p = p.fma(r, FloatVector.broadcast(floats, 5.0000001201e-1f));
        p = p.fma(r.mul(r), r).add(1f);
        IntVector exponent = rounded.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23);
        FloatVector result = p.reinterpretAsInts().add(exponent).reinterpretAsFloats();
        return result.blend(0f, tooSmall);
    }
}
