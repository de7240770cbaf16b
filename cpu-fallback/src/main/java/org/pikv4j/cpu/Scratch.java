package org.pikv4j.cpu;

/** Buffers of one worker, grown on demand and kept. */
final class Scratch {
    private float[] first = {};
    private float[] second = {};
    private float[] third = {};
    private float[] fourth = {};

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

    float[] fourth(int length) {
        fourth = fourth.length < length ? new float[length] : fourth;
        return fourth;
    }
}
