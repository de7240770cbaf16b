package org.pikv4j.cache.compression;

import org.pikv4j.tensor.DType;

/**
 * The bytes of half a page in a {@link BlockCodec}: one float, scales, minima (affine codecs), then codes. That is the order
 * in which attention reads them, so that it goes through memory from front to back.
 *
 * <pre>
 *   0             scalesOffset            minimaOffset            codesOffset      bytes
 *   | f32, where  | scales, (scaleRows,   | minima, likewise      | codes, by row  |
 *   | there is one| scaleColumns)         | where there are any   |                |
 * </pre>
 *
 * Each part starts at a multiple of four bytes; the bytes before it, if any, are 0, and numbers are little-endian. The scale
 * of element (row, column) is (row / rowBlock, column / columnBlock). Codes of a row stand in units of 32
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
 * @param scalesOffset where the scales start: behind the float, or at 0 if there is none
 * @param minimaOffset where the minima start; equal to {@code codesOffset} if there are none
 * @param codesOffset where the codes start
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
        int codesOffset,
        int bytes) {

    /** Columns that are packed together. */
    public static final int UNIT = 32;

    /** The type of the float that is the first thing, where there is one. */
    static final DType GLOBAL = DType.F32;

    /** A row whose last unit is short is packed as if it went on with zeros; this is how far. */
    private static final int MOST_CODES_PER_BYTE = 4;

    /**
     * @param shape the half
     * @param bits bits per code
     * @param rowBlock rows that share a scale
     * @param columnBlock columns that share a scale
     * @param scaleBytes bytes of a scale, and of a minimum
     * @param affine whether there are minima
     * @param global whether there is a float for the whole half
     * @return the layout
     */
    static BlockLayout of(
            HalfShape shape, int bits, int rowBlock, int columnBlock, int scaleBytes, boolean affine, boolean global) {
        int rowBytes = shape.columns() / UNIT * unitBytes(UNIT, bits) + unitBytes(shape.columns() % UNIT, bits);
        int scales = Math.ceilDiv(shape.rows(), rowBlock) * Math.ceilDiv(shape.columns(), columnBlock);
        int scalesOffset = global ? GLOBAL.bytes() : 0;
        int minimaOffset = aligned(Math.addExact(scalesOffset, Math.multiplyExact(scales, scaleBytes)));
        int codesOffset = affine ? aligned(minimaOffset + scales * scaleBytes) : minimaOffset;
        return new BlockLayout(
                shape.rows(),
                shape.columns(),
                bits,
                rowBlock,
                columnBlock,
                rowBytes,
                scalesOffset,
                minimaOffset,
                codesOffset,
                Math.addExact(codesOffset, Math.multiplyExact(shape.rows(), rowBytes)));
    }

    private static int aligned(int offset) {
        return Math.ceilDiv(offset, Float.BYTES) * Float.BYTES;
    }

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

    /**
     * @return elements of the matrix of scales
     */
    public int scales() {
        return scaleRows() * scaleColumns();
    }

    /**
     * @return room for the codes of a row, one per byte
     */
    byte[] newRow() {
        return new byte[columns + MOST_CODES_PER_BYTE - 1];
    }

    /** Packs the codes of a row, from {@link #newRow}. */
    void pack(byte[] codes, byte[] packed) {
        int lowBits = bits == 3 ? 2 : bits;
        int perByte = Byte.SIZE / lowBits;
        int mask = (1 << lowBits) - 1;
        int next = 0;
        for (int first = 0; first < columns; first += UNIT) {
            int count = Math.min(UNIT, columns - first);
            int stride = Math.ceilDiv(count, perByte);
            for (int j = 0; j < stride; j++) {
                int together = 0;
                for (int k = 0; k < perByte; k++) {
                    together |= (codes[first + j + k * stride] & mask) << k * lowBits;
                }
                packed[next++] = (byte) together;
            }
            if (bits == 3) {
                for (int j = 0; j < count; j += Byte.SIZE) {
                    int together = 0;
                    for (int k = j; k < Math.min(j + Byte.SIZE, count); k++) {
                        together |= (codes[first + k] >> lowBits & 1) << k - j;
                    }
                    packed[next++] = (byte) together;
                }
            }
        }
    }

    /** The inverse of {@link #pack}; what it writes beyond the last column is of no account. */
    void unpack(byte[] packed, byte[] codes) {
        int lowBits = bits == 3 ? 2 : bits;
        int perByte = Byte.SIZE / lowBits;
        int mask = (1 << lowBits) - 1;
        int next = 0;
        for (int first = 0; first < columns; first += UNIT) {
            int count = Math.min(UNIT, columns - first);
            int stride = Math.ceilDiv(count, perByte);
            for (int j = 0; j < stride; j++) {
                int together = packed[next++];
                for (int k = 0; k < perByte; k++) {
                    codes[first + j + k * stride] = (byte) (together >> k * lowBits & mask);
                }
            }
            if (bits == 3) {
                for (int j = 0; j < count; j++) {
                    codes[first + j] |= (byte) ((packed[next + j / Byte.SIZE] >> j % Byte.SIZE & 1) << lowBits);
                }
                next += Math.ceilDiv(count, Byte.SIZE);
            }
        }
    }
}
