package org.pikv4j.cpu;

import java.lang.foreign.MemorySegment;

/** Inner products of rows of weights with rows of activations. */
interface DotKernel {

    /** See {@link Kernels#product}; {@code in} is the length of a row, {@code weight} the bytes of (out, in). */
    void product(
            MemorySegment weight,
            int in,
            int from,
            int to,
            float[] x,
            int[] rowIndex,
            int first,
            int rows,
            float[] y,
            int yOffset,
            int yStride);
}
