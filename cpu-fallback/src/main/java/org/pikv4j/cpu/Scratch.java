package org.pikv4j.cpu;

import java.util.EnumMap;
import java.util.Map;

/** Buffers of one worker, grown on demand and kept. */
final class Scratch {

    /** What a buffer is for, where one is needed beside those of products. */
    enum Use {
        QUERIES,
        PROJECTED,
        CONSTANTS,
        PRODUCTS,
        SCORES,
        OUTPUTS,
        TURNED,
        EXPANDED
    }

    private static final float[] NONE = {};

    private float[] first = {};
    private float[] second = {};
    private float[] third = {};
    private float[] wide = {};
    private final Map<Use, float[]> attention = new EnumMap<>(Use.class);
    private final Half keys = new Half();
    private final Half values = new Half();

    float[] first(int length) {
        first = grown(first, length);
        return first;
    }

    float[] second(int length) {
        second = grown(second, length);
        return second;
    }

    float[] third(int length) {
        third = grown(third, length);
        return third;
    }

    /** For widened weights: the other buffers may hold what a product reads or writes. */
    float[] wide(int length) {
        wide = grown(wide, length);
        return wide;
    }

    float[] of(Use use, int length) {
        return kept(attention, use, length);
    }

    Half keys() {
        return keys;
    }

    Half values() {
        return values;
    }

    private static float[] grown(float[] buffer, int length) {
        return buffer.length < length ? new float[length] : buffer;
    }

    private static <K> float[] kept(Map<K, float[]> buffers, K key, int length) {
        float[] buffer = grown(buffers.getOrDefault(key, NONE), length);
        buffers.put(key, buffer);
        return buffer;
    }

    /** What is kept of half a page while it is read. */
    static final class Half {

        /** What a buffer holds. */
        enum Part {
            TILE,
            SCALES,
            MINIMA,
            FACTORS
        }

        private final Map<Part, float[]> buffers = new EnumMap<>(Part.class);

        float[] of(Part part, int length) {
            return kept(buffers, part, length);
        }
    }
}
