package org.pikv4j.tensor;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/**
 * A named, row-major array in somebody else's memory: a view, which never frees what it points to.
 *
 * @param name the name in the file, for messages
 * @param dtype the element type
 * @param shape the dimensions, outermost first
 * @param data exactly the tensor's bytes
 */
public record Tensor(String name, DType dtype, List<Long> shape, MemorySegment data) {

    public Tensor {
        shape = List.copyOf(shape);
        data = NativeView.of(data);
        long expected = elements(shape) * dtype.bytes();
        if (data.byteSize() != expected) {
            throw new IllegalArgumentException(
                    name + ": " + data.byteSize() + " bytes where the shape " + shape + " needs " + expected);
        }
    }

    /**
     * @return the product of the dimensions
     */
    public long elements() {
        return elements(shape);
    }

    /**
     * @param axis the axis, 0 is the outermost
     * @return its length
     */
    public int dim(int axis) {
        return Math.toIntExact(shape.get(axis));
    }

    /**
     * @param index position along the outermost axis
     * @return that slice, one dimension less
     */
    public Tensor slice(int index) {
        List<Long> inner = shape.subList(1, shape.size());
        long bytes = elements(inner) * dtype.bytes();
        return new Tensor(name + "[" + index + "]", dtype, inner, data.asSlice(index * bytes, bytes));
    }

    /**
     * @param from first position along the outermost axis
     * @param to one past the last
     * @return the rows between, with as many dimensions
     */
    public Tensor rows(int from, int to) {
        Long[] sliced = shape.toArray(Long[]::new);
        long rowBytes = elements(shape.subList(1, shape.size())) * dtype.bytes();
        sliced[0] = (long) (to - from);
        return new Tensor(
                name + "[" + from + ":" + to + "]",
                dtype,
                Arrays.asList(sliced),
                data.asSlice(from * rowBytes, (to - from) * rowBytes));
    }

    /**
     * @return all elements, widened to float32; for the small ones (norms, biases)
     */
    public float[] toFloats() {
        float[] values = new float[Math.toIntExact(elements())];
        dtype.read(data, 0, values, 0, values.length);
        return values;
    }

    private static long elements(List<Long> shape) {
        long product = 1;
        for (long dim : shape) {
            product = Math.multiplyExact(product, dim);
        }
        return product;
    }
}
