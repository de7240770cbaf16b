package org.pikv4j.cache.compression;

/**
 * One half of a page as a matrix. Keys stand transposed, (width, tokens), so that the lanes of a vector register are tokens
 * and no score needs a reduction; values stand as they come, (tokens, width), so that the lanes of their weighted sum are
 * elements of the output. Either way attention is a product of a small left factor with this matrix.
 *
 * @param side keys or values
 * @param tokens tokens per page
 * @param width elements per token: the head dim, or the rank where rows are projected
 */
public record HalfShape(Side side, int tokens, int width) {

    /** Which half. */
    public enum Side {
        KEYS,
        VALUES
    }

    public HalfShape {
        if (tokens < 1 || width < 1) {
            throw new IllegalArgumentException("a half page of " + tokens + " tokens by " + width);
        }
    }

    /**
     * @return rows of the matrix
     */
    public int rows() {
        return side == Side.KEYS ? width : tokens;
    }

    /**
     * @return columns of the matrix: elements that stand side by side
     */
    public int columns() {
        return side == Side.KEYS ? tokens : width;
    }

    /**
     * @return elements of the matrix
     */
    public int elements() {
        return Math.multiplyExact(tokens, width);
    }

    /**
     * @param token a token's place in the page
     * @param element one of its elements
     * @return where it stands in the matrix, row by row
     */
    public int index(int token, int element) {
        return side == Side.KEYS ? element * tokens + token : token * width + element;
    }
}
