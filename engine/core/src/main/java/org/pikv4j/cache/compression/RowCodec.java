package org.pikv4j.cache.compression;

import java.lang.foreign.MemorySegment;

/** A codec that stores each token by itself, so that the page that is being filled can be kept in it. */
public interface RowCodec extends Codec {

    /**
     * Stores one token.
     *
     * @param shape the half
     * @param half its bytes
     * @param token the token's place in the page
     * @param row holds its elements
     * @param offset where they start
     */
    void append(HalfShape shape, MemorySegment half, int token, float[] row, int offset);
}
