package org.pikv4j.cache.compression;

import java.lang.foreign.MemorySegment;
import org.pikv4j.extension.Extension;

/**
 * How the numbers of half a page become bytes: a whole page at a time, since scales may span tokens. A codec of your own
 * becomes known by a {@link java.util.ServiceLoader} entry or the engine's builder; every backend can attend to it, by way
 * of {@link #decode}, and those that know its bits read them directly.
 *
 * <p>Implementations are stateless and may be called by any number of threads; the segment given is exactly the half of one
 * page. Values are finite and at most {@link #largest} in magnitude: a page that holds others is never encoded.
 */
public interface Codec extends Extension {

    /**
     * @return whether its numbers are meant for rotated rows, so that it brings a rotation where no basis is named
     */
    default boolean rotated() {
        return false;
    }

    /**
     * @return the largest magnitude that it is to be given; a page with a larger one stays exact
     */
    default float largest() {
        return Float.MAX_VALUE;
    }

    /**
     * @param shape the half
     * @return bytes that it takes, scales and everything else that {@link #decode} needs included
     */
    int bytes(HalfShape shape);

    /**
     * @param shape the half
     * @return of its {@link #bytes}, those that are no numbers of single elements: scales, minima, a basis of the page's own
     */
    default int scaleBytes(HalfShape shape) {
        return 0;
    }

    /**
     * Encodes a full page.
     *
     * @param shape the half
     * @param in its matrix, row by row: {@link HalfShape#index}
     * @param out receives {@link #bytes} bytes
     */
    void encode(HalfShape shape, float[] in, MemorySegment out);

    /**
     * @param shape the half
     * @param in its bytes
     * @param out receives the matrix, row by row
     */
    void decode(HalfShape shape, MemorySegment in, float[] out);
}
