package org.pikv4j.cache.compression;

/**
 * The bytes of half a page in a {@link BlockCodec}: codes, then scales, then minima (affine codecs), then one float.
 *
 * <pre>
 *   0                scalesOffset            minimaOffset            globalOffset   bytes
 *   | codes, by row  | scales, (scaleRows,   | minima, likewise      | f32          |
 *   |                | scaleColumns)         | where there are any   | where it is  |
 * </pre>
 *
 * The scale of element (row, column) is (row / rowBlock, column / columnBlock). Codes of a row stand in units of 32
 * columns, the last one possibly shorter; of a unit of n columns
 *
 * <ul>
 *   <li>8 bits: byte j is column j;
 *   <li>4 bits: ⌈n/2⌉ bytes, the low half of byte j is column j, the high half column j + ⌈n/2⌉;
 *   <li>2 bits: ⌈n/4⌉ bytes, byte j has columns j, j + ⌈n/4⌉, j + 2⌈n/4⌉ and j + 3⌈n/4⌉ from its low bits up;
 *   <li>3 bits: the low two bits as above, then ⌈n/8⌉ bytes whose bit j mod 8 of byte j / 8 is the third bit of column j.
 * </ul>
 *
 * Within a unit a vector of bytes thus unpacks into vectors of neighbouring columns by shifts alone.
 *
 * @param rows rows of the matrix
 * @param columns columns of the matrix
 * @param bits bits per code
 * @param rowBlock rows that share a scale
 * @param columnBlock columns that share a scale
 * @param rowBytes bytes of a row of codes
 * @param scalesOffset where the scales start
 * @param minimaOffset where the minima start; equal to {@code globalOffset} if there are none
 * @param globalOffset where the float starts; equal to {@code bytes} if there is none
 * @param bytes bytes of the half
 */
public record BlockLayout(
        int rows,
        int columns,
        int bits,
        int rowBlock,
        int columnBlock,
        int rowBytes,
        int scalesOffset,
        int minimaOffset,
        int globalOffset,
        int bytes) {

    /** Columns that are packed together. */
    public static final int UNIT = 32;

    /**
     * @param columns columns of a unit
     * @param bits bits per code
     * @return bytes of its codes
     */
    public static int unitBytes(int columns, int bits) {
        return bits == 3 ? Math.ceilDiv(columns, 4) + Math.ceilDiv(columns, 8) : Math.ceilDiv(columns * bits, 8);
    }

    /**
     * @return rows of the matrix of scales
     */
    public int scaleRows() {
        return Math.ceilDiv(rows, rowBlock);
    }

    /**
     * @return columns of the matrix of scales
     */
    public int scaleColumns() {
        return Math.ceilDiv(columns, columnBlock);
    }
}
