package org.pikv4j.loader.safetensors;

import java.util.List;

/**
 * What a header says about a tensor, checked in itself: the byte range is as long as type and shape need.
 *
 * @param name the tensor's name
 * @param type the element type
 * @param shape the dimensions, outermost first; empty for a scalar
 * @param begin first byte, counted from the end of the header
 * @param end one past the last byte
 */
record TensorInfo(String name, ElementType type, List<Long> shape, long begin, long end) {
    TensorInfo {
        shape = List.copyOf(shape);
    }
}
