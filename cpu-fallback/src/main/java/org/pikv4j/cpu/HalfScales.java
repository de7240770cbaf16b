package org.pikv4j.cpu;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.pikv4j.cache.compression.BlockCodec;
import org.pikv4j.cache.compression.BlockLayout;
import org.pikv4j.cache.compression.HalfShape;
import org.pikv4j.cpu.Scratch.Half;
import org.pikv4j.tensor.DType;

/** The scales of a half page as floats, and its minima. */
final class HalfScales {
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Integer> INTS = VectorSpecies.of(int.class, FLOATS.vectorShape());
    private static final int LANES = FLOATS.length();
    private static final PairOrder ORDER = new PairOrder(FLOATS);
    private static final float[] NO_MINIMA = {};

    private final BlockCodec codec;
    private final HalfShape shape;
    private final BlockLayout layout;
    private final float[] scales;
    private final float[] minima;

    HalfScales(BlockCodec codec, HalfShape shape, BlockLayout layout, Half scratch) {
        this.codec = codec;
        this.shape = shape;
        this.layout = layout;
        this.scales = scratch.of(Half.Part.SCALES, layout.scales());
        this.minima = affine() ? scratch.of(Half.Part.MINIMA, layout.scales()) : NO_MINIMA;
    }

    boolean affine() {
        return codec.scaleFormat().affine();
    }

    /** Natural order: (scaleRows, scaleColumns). */
    float[] scales() {
        return scales;
    }

    float[] minima() {
        return minima;
    }

    void read(MemorySegment half) {
        if (codec.scaleFormat().bytes() != DType.BF16.bytes()) {
            codec.scales(shape, half, scales, minima);
            return;
        }
        widen(half, layout.scalesOffset(), scales);
        if (affine()) {
            widen(half, layout.minimaOffset(), minima);
        }
    }

    private void widen(MemorySegment half, int offset, float[] out) {
        int i = 0;
        for (; i + 2 * LANES <= layout.scales(); i += 2 * LANES) {
            IntVector pairs = IntVector.fromMemorySegment(
                    INTS, half, offset + (long) i * DType.BF16.bytes(), ByteOrder.LITTLE_ENDIAN);
            FloatVector even = pairs.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector odd = pairs.and(0xffff0000).reinterpretAsFloats();
            ORDER.low(even, odd).intoArray(out, i);
            ORDER.high(even, odd).intoArray(out, i + LANES);
        }
        DType.BF16.read(half, offset + (long) i * DType.BF16.bytes(), out, i, layout.scales() - i);
    }

    /** Makes numbers of what codes stand for, (rows, columns). */
    void apply(float[] tile) {
        int columns = layout.columns();
        int columnBlock = Math.min(layout.columnBlock(), columns);
        for (int row = 0; row < layout.rows(); row++) {
            int first = row / layout.rowBlock() * layout.scaleColumns();
            int at = row * columns;
            if (columnBlock == 1) {
                multiply(tile, at, scales, first, tile, at, columns);
                for (int i = 0; affine() && i < columns; i++) {
                    tile[at + i] += minima[first + i];
                }
                continue;
            }
            for (int c = 0, block = first; c < columns; c += columnBlock, block++) {
                scale(tile, at + c, Math.min(columnBlock, columns - c), scales[block], affine() ? minima[block] : 0f);
            }
        }
    }

    private static void multiply(float[] a, int aAt, float[] b, int bAt, float[] out, int at, int count) {
        int i = 0;
        for (; i + LANES <= count; i += LANES) {
            FloatVector.fromArray(FLOATS, a, aAt + i)
                    .mul(FloatVector.fromArray(FLOATS, b, bAt + i))
                    .intoArray(out, at + i);
        }
        for (; i < count; i++) {
            out[at + i] = a[aAt + i] * b[bAt + i];
        }
    }

    private static void scale(float[] values, int at, int count, float factor, float offset) {
        FloatVector f = FloatVector.broadcast(FLOATS, factor);
        FloatVector o = FloatVector.broadcast(FLOATS, offset);
        int i = 0;
        for (; i + LANES <= count; i += LANES) {
            FloatVector.fromArray(FLOATS, values, at + i).fma(f, o).intoArray(values, at + i);
        }
        for (; i < count; i++) {
            values[at + i] = values[at + i] * factor + offset;
        }
    }
}
