package org.pikv4j.cache.compression;

import java.lang.foreign.MemorySegment;
import org.pikv4j.extension.Extension;

/**
 * How the rows of a page are stored. A form of your own becomes known by a {@link java.util.ServiceLoader} entry or the
 * engine's builder; every backend can attend to it, by way of {@link #decodeKeys} and {@link #decodeValues}, and those
 * that know its bits read them directly.
 *
 * <p>Implementations are stateless; the segment given is exactly the half of one page.
 */
public interface PageForm extends Extension {

    /**
     * @param tokens tokens per page
     * @param headDim width of a head
     * @return bytes of a page's keys, scales included
     */
    int keyBytes(int tokens, int headDim);

    /**
     * @param tokens tokens per page
     * @param headDim width of a head
     * @return bytes of a page's values, scales included
     */
    int valueBytes(int tokens, int headDim);

    /**
     * Stores one token.
     *
     * @param keys the page's keys
     * @param values the page's values
     * @param tokens tokens per page
     * @param slot the token's place in the page
     * @param headDim width of a head
     * @param key holds the key row
     * @param keyOffset where it starts
     * @param value holds the value row
     * @param valueOffset where it starts
     */
    void append(
            MemorySegment keys,
            MemorySegment values,
            int tokens,
            int slot,
            int headDim,
            float[] key,
            int keyOffset,
            float[] value,
            int valueOffset);

    /**
     * @param keys the page's keys
     * @param tokens tokens per page
     * @param headDim width of a head
     * @param out receives all keys, transposed: (headDim, tokens)
     */
    void decodeKeys(MemorySegment keys, int tokens, int headDim, float[] out);

    /**
     * @param values the page's values
     * @param tokens tokens per page
     * @param headDim width of a head
     * @param out receives all values: (tokens, headDim)
     */
    void decodeValues(MemorySegment values, int tokens, int headDim, float[] out);
}
