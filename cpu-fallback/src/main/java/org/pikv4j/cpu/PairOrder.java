package org.pikv4j.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * Two vectors in natural order against the same elements as even ones, then odd ones. By shuffles of one vector at a time
 * and a blend: the API's shuffle of two vectors at once took many times as long.
 *
 * <p>A record: the compiler trusts its fields, so that those of a constant one leave no trace.
 *
 * @param even lanes 0, 2, 4, … twice over
 * @param odd lanes 1, 3, 5, … twice over
 * @param lowerTwice each lane of the lower half twice
 * @param upperTwice each lane of the upper half twice
 * @param upperHalf the lanes of the upper half
 * @param oddLanes every other lane
 */
record PairOrder(
        VectorShuffle<Float> even,
        VectorShuffle<Float> odd,
        VectorShuffle<Float> lowerTwice,
        VectorShuffle<Float> upperTwice,
        VectorMask<Float> upperHalf,
        VectorMask<Float> oddLanes) {

    PairOrder(VectorSpecies<Float> floats) {
        this(floats, floats.length());
    }

    private PairOrder(VectorSpecies<Float> floats, int lanes) {
        this(
                VectorShuffle.fromOp(floats, i -> 2 * i % lanes),
                VectorShuffle.fromOp(floats, i -> (2 * i + 1) % lanes),
                VectorShuffle.fromOp(floats, i -> i / 2),
                VectorShuffle.fromOp(floats, i -> lanes / 2 + i / 2),
                VectorMask.fromLong(floats, (1L << lanes) - (1L << lanes / 2)),
                VectorMask.fromLong(floats, 0xaaaa_aaaa_aaaa_aaaaL & (1L << lanes) - 1));
    }

    /** The even elements of two vectors in natural order. */
    FloatVector even(FloatVector low, FloatVector high) {
        return low.rearrange(even).blend(high.rearrange(even), upperHalf);
    }

    /** The odd elements of two vectors in natural order. */
    FloatVector odd(FloatVector low, FloatVector high) {
        return low.rearrange(odd).blend(high.rearrange(odd), upperHalf);
    }

    /** The lower half in natural order, of even elements and odd ones. */
    FloatVector low(FloatVector evens, FloatVector odds) {
        return evens.rearrange(lowerTwice).blend(odds.rearrange(lowerTwice), oddLanes);
    }

    /** The upper half in natural order, of even elements and odd ones. */
    FloatVector high(FloatVector evens, FloatVector odds) {
        return evens.rearrange(upperTwice).blend(odds.rearrange(upperTwice), oddLanes);
    }
}
