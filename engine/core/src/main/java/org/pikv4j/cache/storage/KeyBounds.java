package org.pikv4j.cache.storage;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The largest and the least of each element of the keys of a block of {@link PageLayout#BOUNDED_TOKENS} tokens (Quest, arXiv
 * 2406.10774, §3.3), as bf16 rounded outwards, so that they bound the keys as they were computed:
 *
 * <pre>
 *   block 0: largest of d0 d1 … | least of d0 d1 …
 *   block 1: …
 * </pre>
 *
 * No q·k of the block exceeds Σ_d (q_d &gt; 0 ? q_d · largest_d : q_d · least_d), one product of (q⁺, q⁻) with a row. A block that
 * was cut keeps the bounds that it had: they are wider than need be.
 */
public final class KeyBounds {
    private static final ValueLayout.OfShort HALF = ValueLayout.JAVA_SHORT_UNALIGNED;
    private static final int LOW_BITS = 0xFFFF;

    private KeyBounds() {}

    /**
     * @param headDim width of a key
     * @return bytes for one block
     */
    public static int bytes(int headDim) {
        return 2 * headDim * Short.BYTES;
    }

    /** Takes a key in; that of a block's first slot begins it anew. */
    static void widen(MemorySegment bounds, int slot, float[] key, int keyOffset, int headDim) {
        long at = (long) slot / PageLayout.BOUNDED_TOKENS * bytes(headDim);
        boolean first = slot % PageLayout.BOUNDED_TOKENS == 0;
        for (int d = 0; d < headDim; d++, at += Short.BYTES) {
            float element = key[keyOffset + d];
            long below = at + (long) headDim * Short.BYTES;
            if (first || element > value(bounds, at)) {
                bounds.set(HALF, at, up(element));
            }
            if (first || element < value(bounds, below)) {
                bounds.set(HALF, below, (short) (up(-element) ^ Short.MIN_VALUE));
            }
        }
    }

    private static float value(MemorySegment bounds, long at) {
        return Float.intBitsToFloat(bounds.get(HALF, at) << Short.SIZE);
    }

    /** The least bf16 that is not below. */
    private static short up(float element) {
        int bits = Float.floatToRawIntBits(element);
        int cut = bits >> Short.SIZE;
        return (short) (bits > 0 && (bits & LOW_BITS) != 0 ? cut + 1 : cut);
    }
}
