package org.pikv4j.cache.compression;

import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * How one half of a page is stored: numbers of a codec, in coordinates of a basis or in the model's own.
 *
 * @param codec how numbers become bytes
 * @param basis the coordinates; the model's own where empty
 */
public record HalfForm(Codec codec, Optional<Basis> basis) {

    /**
     * @param codec how numbers become bytes, in the model's own coordinates
     */
    public HalfForm(Codec codec) {
        this(codec, Optional.empty());
    }

    public String name() {
        return basis.map(b -> b.name() + "+").orElse("") + codec.name();
    }

    /**
     * @param headDim width of a head
     * @return elements stored per token
     */
    public int width(int headDim) {
        return basis.map(Basis::rank).orElse(headDim);
    }

    /**
     * Encodes a full page.
     *
     * @param shape the half, of the width that is stored
     * @param rows the rows as the model computed them: (tokens, headDim)
     * @param headDim width of a row
     * @param out receives the bytes
     * @return whether it was encoded: not if a number, in the coordinates that are stored, is none or too large for the codec
     */
    public boolean encode(HalfShape shape, float[] rows, int headDim, MemorySegment out) {
        float[] matrix = new float[shape.elements()];
        float[] stored = new float[shape.width()];
        for (int t = 0; t < shape.tokens(); t++) {
            if (basis.isPresent()) {
                basis.get().project(rows, t * headDim, stored, 0);
            } else {
                System.arraycopy(rows, t * headDim, stored, 0, headDim);
            }
            for (int i = 0; i < stored.length; i++) {
                if (!(Math.abs(stored[i]) <= codec.largest())) {
                    return false;
                }
                matrix[shape.index(t, i)] = stored[i];
            }
        }
        codec.encode(shape, matrix, out);
        return true;
    }

    /**
     * What attention takes the rows for: the definition that every backend is checked against.
     *
     * @param shape the half, of the width that is stored
     * @param in its bytes
     * @param headDim width of a row
     * @param rows receives (tokens, headDim)
     */
    public void decode(HalfShape shape, MemorySegment in, int headDim, float[] rows) {
        float[] matrix = new float[shape.elements()];
        codec.decode(shape, in, matrix);
        float[] stored = new float[shape.width()];
        for (int t = 0; t < shape.tokens(); t++) {
            for (int i = 0; i < stored.length; i++) {
                stored[i] = matrix[shape.index(t, i)];
            }
            if (basis.isPresent()) {
                basis.get().expand(stored, 0, rows, t * headDim);
            } else {
                System.arraycopy(stored, 0, rows, t * headDim, headDim);
            }
        }
    }
}
