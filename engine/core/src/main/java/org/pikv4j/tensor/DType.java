package org.pikv4j.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** The element types that weights, and cached rows kept exact, are stored in. Little-endian, at any alignment. */
public enum DType {
    F32(4, Float.MAX_VALUE) {
        @Override
        public float read(MemorySegment data, long byteOffset) {
            return data.get(FLOAT, byteOffset);
        }

        @Override
        public void write(MemorySegment data, long byteOffset, float value) {
            data.set(FLOAT, byteOffset, value);
        }
    },
    /** bfloat16: the upper half of a float32. */
    BF16(2, 0x1.fep127f) {
        @Override
        public float read(MemorySegment data, long byteOffset) {
            return Float.intBitsToFloat(data.get(SHORT, byteOffset) << 16);
        }

        @Override
        public void write(MemorySegment data, long byteOffset, float value) {
            data.set(SHORT, byteOffset, bf16(value));
        }
    },
    /** IEEE 754 binary16. */
    F16(2, 65_504f) {
        @Override
        public float read(MemorySegment data, long byteOffset) {
            return Float.float16ToFloat(data.get(SHORT, byteOffset));
        }

        @Override
        public void write(MemorySegment data, long byteOffset, float value) {
            data.set(SHORT, byteOffset, Float.floatToFloat16(value));
        }
    };

    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final int bytes;
    private final float largest;

    DType(int bytes, float largest) {
        this.bytes = bytes;
        this.largest = largest;
    }

    /**
     * @return the size of one element in bytes
     */
    public int bytes() {
        return bytes;
    }

    /**
     * @return the largest finite value that an element can have
     */
    public float largest() {
        return largest;
    }

    /**
     * @param data the bytes
     * @param byteOffset where the element starts
     * @return the element, widened exactly
     */
    public abstract float read(MemorySegment data, long byteOffset);

    /**
     * Stores one element, rounded to nearest even.
     *
     * @param data the bytes
     * @param byteOffset where the element starts
     * @param value the value
     */
    public abstract void write(MemorySegment data, long byteOffset, float value);

    /**
     * Widens a run of elements.
     *
     * @param data the bytes
     * @param byteOffset where the run starts
     * @param out receives the values
     * @param outOffset index of the first
     * @param count number of elements
     */
    public void read(MemorySegment data, long byteOffset, float[] out, int outOffset, int count) {
        for (int i = 0; i < count; i++) {
            out[outOffset + i] = read(data, byteOffset + (long) i * bytes);
        }
    }

    /**
     * @param value a float
     * @return its bfloat16 bits, rounded to nearest even; NaN stays NaN
     */
    public static short bf16(float value) {
        int bits = Float.floatToRawIntBits(value);
        if (Float.isNaN(value)) {
            return (short) ((bits >>> 16) | 0x40);
        }
        return (short) ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
    }
}
