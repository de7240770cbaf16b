package org.pikv4j.cache.storage;

import java.lang.foreign.MemorySegment;
import org.pikv4j.cache.compression.HalfShape;

/** Brings the rows of a page into another form. */
final class Reencoding {
    private Reencoding() {}

    /**
     * @param source a page
     * @param target its tokens' room in another form, all of it written
     * @return whether that form takes them: not if a number is none, or too large for it
     */
    static boolean encode(Page source, Page target) {
        return encode(source, target.layout(), target.keys(), target.values());
    }

    /**
     * @param source a page
     * @param layout of the other form
     * @param keys receives the keys
     * @param values receives the values
     * @return whether that form takes them
     */
    static boolean encode(Page source, PageLayout layout, MemorySegment keys, MemorySegment values) {
        float[] rows = source.decoded(HalfShape.Side.KEYS);
        if (!layout.encode(HalfShape.Side.KEYS, rows, keys)) {
            return false;
        }
        source.decode(HalfShape.Side.VALUES, rows);
        return layout.encode(HalfShape.Side.VALUES, rows, values);
    }

    /**
     * @param source a page
     * @param target the same tokens in another form
     * @return what it lost: the mean of |k̂ − k| / |k| and |v̂ − v| / |v|, norms over the page
     */
    static double lost(Page source, Page target) {
        return (lost(HalfShape.Side.KEYS, source, target) + lost(HalfShape.Side.VALUES, source, target)) / 2;
    }

    private static double lost(HalfShape.Side side, Page source, Page target) {
        return RelativeError.of(source.decoded(side), target.decoded(side));
    }
}
