package org.pikv4j.cache.compression;

import java.lang.foreign.MemorySegment;
import java.util.Locale;
import org.pikv4j.tensor.DType;

/**
 * Elements as they are, in one of the float types: rounding to the type is all that is lost.
 *
 * @param dtype the element type
 */
public record ExactForm(DType dtype) implements PageForm {

    @Override
    public String name() {
        return dtype.name().toLowerCase(Locale.ROOT);
    }

    @Override
    public int keyBytes(int tokens, int headDim) {
        return Math.multiplyExact(Math.multiplyExact(tokens, headDim), dtype.bytes());
    }

    @Override
    public int valueBytes(int tokens, int headDim) {
        return keyBytes(tokens, headDim);
    }

    @Override
    public void append(
            MemorySegment keys,
            MemorySegment values,
            int tokens,
            int slot,
            int headDim,
            float[] key,
            int keyOffset,
            float[] value,
            int valueOffset) {
        int bytes = dtype.bytes();
        for (int d = 0; d < headDim; d++) {
            dtype.write(keys, (long) (d * tokens + slot) * bytes, key[keyOffset + d]);
            dtype.write(values, (long) (slot * headDim + d) * bytes, value[valueOffset + d]);
        }
    }

    @Override
    public void decodeKeys(MemorySegment keys, int tokens, int headDim, float[] out) {
        dtype.read(keys, 0, out, 0, tokens * headDim);
    }

    @Override
    public void decodeValues(MemorySegment values, int tokens, int headDim, float[] out) {
        dtype.read(values, 0, out, 0, tokens * headDim);
    }
}
