package org.pikv4j.loader.safetensors;

import java.util.Arrays;
import java.util.List;

/**
 * A tensor that is going to be written.
 *
 * @param name its name, unique in the file
 * @param type the element type
 * @param shape the dimensions, outermost first; empty for a scalar
 */
public record TensorDeclaration(String name, ElementType type, List<Long> shape) {
    public TensorDeclaration {
        shape = List.copyOf(shape);
        if (shape.stream().anyMatch(dim -> dim < 0)) {
            throw new IllegalArgumentException(name + ": shape " + shape);
        }
    }

    /**
     * @param name its name
     * @param type the element type
     * @param shape the dimensions, outermost first
     */
    public TensorDeclaration(String name, ElementType type, long... shape) {
        this(name, type, Arrays.stream(shape).boxed().toList());
    }

    /**
     * @return its size in bytes
     */
    public long bytes() {
        long elements = 1;
        for (long dim : shape) {
            elements = Math.multiplyExact(elements, dim);
        }
        return type.bytes(elements);
    }
}
