package org.pikv4j.cache.compression;

import java.lang.foreign.MemorySegment;
import java.util.Locale;
import org.pikv4j.tensor.DType;

/**
 * Elements as they are, in one of the float types: rounding to the type is all that is lost.
 *
 * @param dtype the element type
 */
public record ExactCodec(DType dtype) implements RowCodec {

    @Override
    public String name() {
        return dtype.name().toLowerCase(Locale.ROOT);
    }

    @Override
    public float largest() {
        return dtype.largest();
    }

    @Override
    public int bytes(HalfShape shape) {
        return Math.multiplyExact(shape.elements(), dtype.bytes());
    }

    @Override
    public void append(HalfShape shape, MemorySegment half, int token, float[] row, int offset) {
        for (int i = 0; i < shape.width(); i++) {
            dtype.write(half, (long) shape.index(token, i) * dtype.bytes(), row[offset + i]);
        }
    }

    @Override
    public void encode(HalfShape shape, float[] in, MemorySegment out) {
        for (int i = 0; i < shape.elements(); i++) {
            dtype.write(out, (long) i * dtype.bytes(), in[i]);
        }
    }

    @Override
    public void decode(HalfShape shape, MemorySegment in, float[] out) {
        dtype.read(in, 0, out, 0, shape.elements());
    }
}
