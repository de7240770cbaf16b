package org.pikv4j.loader.safetensors;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import org.pikv4j.error.ModelFormatException;
import org.pikv4j.loader.json.Lines;
import org.pikv4j.tensor.DType;
import org.pikv4j.tensor.Tensor;

/**
 * A tensor as its file holds it, of any type: a view of the mapped file, valid as long as the mapping.
 *
 * @param file the file it is in, for messages
 * @param name its name
 * @param type the element type
 * @param shape the dimensions, outermost first; empty for a scalar
 * @param data its bytes, little-endian, at any alignment
 */
public record RawTensor(Path file, String name, ElementType type, List<Long> shape, MemorySegment data) {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    public RawTensor {
        shape = List.copyOf(shape);
    }

    /**
     * @return the same bytes as the engine's tensor
     * @throws ModelFormatException if the engine does not compute with the type
     */
    public Tensor tensor() {
        DType dtype =
                type.dtype().orElseThrow(() -> error("has the type " + type + "; supported are F32, BF16 and F16"));
        try {
            return new Tensor(name, dtype, shape, data);
        } catch (ArithmeticException e) {
            // Empty by one dimension of 0, and the others alone overflow.
            throw error("has the shape " + shape + ", which is not possible");
        }
    }

    /**
     * @return the elements of an I32 or I64 tensor
     * @throws ModelFormatException if it has another type, or an element beyond the range of int
     */
    public int[] toInts() {
        return switch (type) {
            case I32 -> data.toArray(INT);
            case I64 -> {
                long[] values = data.toArray(LONG);
                int[] ints = new int[values.length];
                for (int i = 0; i < ints.length; i++) {
                    ints[i] = (int) values[i];
                    if (ints[i] != values[i]) {
                        throw error("holds " + values[i] + ", which is no 32-bit integer");
                    }
                }
                yield ints;
            }
            default -> throw error("has the type " + type + ", expected I32 or I64");
        };
    }

    /**
     * @param detail what is wrong with the tensor, as the rest of a sentence
     * @return the error to throw
     */
    public ModelFormatException error(String detail) {
        return new ModelFormatException(file, "tensor " + Lines.quote(name) + " " + detail);
    }
}
