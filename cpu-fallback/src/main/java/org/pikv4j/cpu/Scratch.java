package org.pikv4j.cpu;

/** Buffers of one worker, grown on demand and kept. */
final class Scratch {
    private float[] first = {};
    private float[] second = {};
    private float[] third = {};
    private float[] wide = {};

    float[] first(int length) {
        first = first.length < length ? new float[length] : first;
        return first;
    }

    float[] second(int length) {
        second = second.length < length ? new float[length] : second;
        return second;
    }

    float[] third(int length) {
        third = third.length < length ? new float[length] : third;
        return third;
    }

    /** For widened weights: the other buffers may hold what a product reads or writes. */
    float[] wide(int length) {
        wide = wide.length < length ? new float[length] : wide;
        return wide;
    }
}
