package org.pikv4j.cpu;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.pikv4j.cache.compression.BlockCodec;
import org.pikv4j.cache.compression.BlockLayout;
import org.pikv4j.cache.compression.CodeFormat;
import org.pikv4j.cache.compression.Codec;
import org.pikv4j.cache.compression.ExactCodec;
import org.pikv4j.cache.compression.HalfShape;
import org.pikv4j.cpu.Scratch.Half;
import org.pikv4j.tensor.DType;

/**
 * Products with halves of pages in any codec. Those whose bits are known are multiplied as they are read, without a
 * decoded copy, as long as there are few rows to multiply: each row of four decodes anew. What is left goes by way of one
 * page's tile of floats, decoded by the kernels where they know the bits and by the codec where they do not.
 */
final class HalfProducts {
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Integer> INTS = VectorSpecies.of(int.class, FLOATS.vectorShape());
    private static final int LANES = FLOATS.length();
    /** Columns of a tile are padded to a multiple of this. */
    private static final int PADDING = 8;

    /**
     * From so many entries on, a page is decoded once for all of them: until then it costs more to write floats and read
     * them again than to unpack the codes once more for each four. Measured at head dims 64 and 128.
     */
    private static final int DECODED_ENTRIES = Integer.getInteger("pikv4j.vector.decoded-entries", 12);

    private static final float[] NO_MINIMA = {};
    private static final PairOrder ORDER = new PairOrder(FLOATS);

    private final List<PageKernel<float[]>> arrays; // widest first
    private final Map<DType, List<PageKernel<MemorySegment>>> exact = new EnumMap<>(DType.class); // likewise
    private final Map<CodeFormat, List<PageKernel<MemorySegment>>> codes = new ConcurrentHashMap<>(); // likewise

    HalfProducts() {
        arrays = widths().stream()
                .map(floats -> kernel(new PageLoad.Floats(floats)))
                .toList();
        for (DType dtype : DType.values()) {
            exact.put(
                    dtype,
                    widths().stream()
                            .map(floats -> kernel(PageLoad.of(dtype, floats)))
                            .toList());
        }
    }

    private static List<VectorSpecies<Float>> widths() {
        return List.of(FloatVector.SPECIES_512, FloatVector.SPECIES_256, FloatVector.SPECIES_128).stream()
                .filter(floats -> floats.length() <= LANES)
                .toList();
    }

    @SuppressWarnings("unchecked") // the copy is made for what reads an S
    private static <S> PageKernel<S> kernel(PageLoad<S> load) {
        return Specialised.of(PageTemplate.class, PageKernel.class, load);
    }

    private static List<PageKernel<MemorySegment>> kernels(CodeFormat format) {
        return widths().stream()
                .flatMap(floats -> PageLoad.of(format, floats).stream())
                .map(HalfProducts::kernel)
                .toList();
    }

    private static <S> Optional<PageKernel<S>> fitting(List<PageKernel<S>> kernels, int columns, int block) {
        for (PageKernel<S> kernel : kernels) {
            if (kernel.fits(columns) && (block >= columns || block % kernel.grain() == 0)) {
                return Optional.of(kernel);
            }
        }
        return Optional.empty();
    }

    /**
     * @param columns length of rows
     * @return products with arrays of such rows; empty if no vector divides them
     */
    Optional<PageKernel<float[]>> arrays(int columns) {
        return fitting(arrays, columns, columns);
    }

    private PageKernel<float[]> array(int columns) {
        return arrays(columns).orElseThrow(() -> new IllegalStateException("no kernel for rows of " + columns));
    }

    /**
     * @param codec how numbers are stored
     * @param shape the half
     * @param entries rows that are multiplied with each page
     * @param scratch the worker's buffers
     * @return what multiplies with such halves
     */
    HalfProduct of(Codec codec, HalfShape shape, int entries, Half scratch) {
        int columns = shape.columns();
        if (codec instanceof ExactCodec(DType dtype)) {
            Optional<PageKernel<MemorySegment>> kernel =
                    fitting(exact.getOrDefault(dtype, List.of()), columns, columns);
            if (kernel.isPresent()) {
                return new Exact(kernel.get(), columns);
            }
        }
        if (codec instanceof BlockCodec blocks) {
            BlockLayout layout = blocks.layout(shape);
            List<PageKernel<MemorySegment>> kernels = codes.computeIfAbsent(blocks.codes(), HalfProducts::kernels);
            Scales scales = new Scales(blocks, shape, layout, scratch);
            boolean byColumn = layout.columnBlock() == 1;
            Optional<PageKernel<MemorySegment>> kernel =
                    fitting(kernels, columns, byColumn ? columns : layout.columnBlock());
            if (kernel.isPresent() && entries < DECODED_ENTRIES) {
                return byColumn
                        ? new ScaledColumns(kernel.get(), array(columns), layout, scales)
                        : new ScaledRows(kernel.get(), layout, scales);
            }
            Optional<PageKernel<MemorySegment>> decoder = fitting(kernels, columns, columns);
            if (decoder.isPresent()) {
                return new Tile(array(columns), columns, half -> {
                    float[] tile = scratch.of(Half.Part.TILE, shape.elements());
                    scales.read(half);
                    decoder.get().widen(half, layout.codesOffset(), columns, shape.rows(), tile);
                    scales.apply(tile);
                    return tile;
                });
            }
        }
        int padded = Math.ceilDiv(columns, PADDING) * PADDING;
        return new Tile(array(padded), padded, half -> {
            float[] tile = scratch.of(Half.Part.TILE, shape.rows() * padded);
            codec.decode(shape, half, tile);
            for (int row = shape.rows() - 1; padded > columns && row >= 0; row--) {
                System.arraycopy(tile, row * columns, tile, row * padded, columns);
                Arrays.fill(tile, row * padded + columns, (row + 1) * padded, 0f);
            }
            return tile;
        });
    }

    /** Elements of a float type, read as they are. */
    private static final class Exact implements HalfProduct {
        private final PageKernel<MemorySegment> kernel;
        private final int columns;
        private MemorySegment half = MemorySegment.NULL;

        Exact(PageKernel<MemorySegment> kernel, int columns) {
            this.kernel = kernel;
            this.columns = columns;
        }

        @Override
        public void open(MemorySegment half) {
            this.half = half;
        }

        @Override
        public int grain() {
            return kernel.grain();
        }

        @Override
        public int width() {
            return columns;
        }

        @Override
        public void add(
                int from,
                int to,
                int firstColumn,
                int lastColumn,
                float[] a,
                int aOffset,
                int aStride,
                float[] y,
                int yOffset,
                int yStride) {
            kernel.add(half, 0, columns, from, to, firstColumn, lastColumn, a, aOffset, aStride, y, yOffset, yStride);
        }

        @Override
        public void restore(float[] y, int at, int count) {
            kernel.restore(y, at, count);
        }
    }

    /** Anything, once it is floats. */
    private static final class Tile implements HalfProduct {
        private final PageKernel<float[]> kernel;
        private final int width;
        private final Decoder decoder;
        private float[] tile = {};

        interface Decoder {
            float[] decode(MemorySegment half);
        }

        Tile(PageKernel<float[]> kernel, int width, Decoder decoder) {
            this.kernel = kernel;
            this.width = width;
            this.decoder = decoder;
        }

        @Override
        public void open(MemorySegment half) {
            tile = decoder.decode(half);
        }

        @Override
        public int grain() {
            return kernel.grain();
        }

        @Override
        public int width() {
            return width;
        }

        @Override
        public void add(
                int from,
                int to,
                int firstColumn,
                int lastColumn,
                float[] a,
                int aOffset,
                int aStride,
                float[] y,
                int yOffset,
                int yStride) {
            kernel.add(tile, 0, width, from, to, firstColumn, lastColumn, a, aOffset, aStride, y, yOffset, yStride);
        }

        @Override
        public void restore(float[] y, int at, int count) {}
    }

    /** Codes whose columns have scales of their own, block of rows by block of rows: those multiply sums of a block. */
    private static final class ScaledColumns implements HalfProduct {
        private final PageKernel<MemorySegment> kernel;
        private final PageKernel<float[]> arrays;
        private final BlockLayout layout;
        private final Scales scales;
        private final float[] products;
        private final float[] sums;
        private MemorySegment half = MemorySegment.NULL;

        ScaledColumns(PageKernel<MemorySegment> kernel, PageKernel<float[]> arrays, BlockLayout layout, Scales scales) {
            this.kernel = kernel;
            this.arrays = arrays;
            this.layout = layout;
            this.scales = scales;
            this.products = scales.scratch.of(Half.Part.PRODUCTS, PageKernel.ROWS * layout.columns());
            this.sums = scales.scratch.of(Half.Part.FACTORS, PageKernel.ROWS * layout.scaleRows());
        }

        @Override
        public void open(MemorySegment half) {
            this.half = half;
            scales.read(half);
        }

        @Override
        public int grain() {
            return Math.max(kernel.grain(), arrays.grain());
        }

        @Override
        public int width() {
            return layout.columns();
        }

        @Override
        public void add(
                int from,
                int to,
                int firstColumn,
                int lastColumn,
                float[] a,
                int aOffset,
                int aStride,
                float[] y,
                int yOffset,
                int yStride) {
            int columns = layout.columns();
            int firstBlock = from / layout.rowBlock();
            int lastBlock = Math.ceilDiv(to, layout.rowBlock());
            for (int block = firstBlock; block < lastBlock; block++) {
                int low = Math.max(from, block * layout.rowBlock());
                int high = Math.min(to, (block + 1) * layout.rowBlock());
                Arrays.fill(products, 0, PageKernel.ROWS * columns, 0f);
                kernel.add(
                        half,
                        layout.codesOffset(),
                        columns,
                        low,
                        high,
                        firstColumn,
                        lastColumn,
                        a,
                        aOffset,
                        aStride,
                        products,
                        0,
                        columns);
                addProducts(
                        products,
                        firstColumn,
                        columns,
                        scales.scales(),
                        block * columns + firstColumn,
                        y,
                        yOffset + firstColumn,
                        yStride,
                        lastColumn - firstColumn);
                for (int r = 0; scales.affine() && r < PageKernel.ROWS; r++) {
                    sums[r * layout.scaleRows() + block] = sum(a, aOffset + r * aStride + low, high - low);
                }
            }
            if (scales.affine()) {
                arrays.add(
                        scales.minima(),
                        0,
                        columns,
                        firstBlock,
                        lastBlock,
                        firstColumn,
                        lastColumn,
                        sums,
                        0,
                        layout.scaleRows(),
                        y,
                        yOffset,
                        yStride);
            }
        }

        @Override
        public void restore(float[] y, int at, int count) {}
    }

    /** Codes of which neighbouring columns share a scale: it multiplies the left factor. */
    private static final class ScaledRows implements HalfProduct {
        private final PageKernel<MemorySegment> kernel;
        private final BlockLayout layout;
        private final Scales scales;
        private final float[] factors;
        private MemorySegment half = MemorySegment.NULL;

        ScaledRows(PageKernel<MemorySegment> kernel, BlockLayout layout, Scales scales) {
            this.kernel = kernel;
            this.layout = layout;
            this.scales = scales;
            this.factors = scales.scratch.of(Half.Part.FACTORS, PageKernel.ROWS * layout.rows());
        }

        @Override
        public void open(MemorySegment half) {
            this.half = half;
            scales.read(half);
            scales.turn();
        }

        @Override
        public int grain() {
            return kernel.grain();
        }

        @Override
        public int width() {
            return layout.columns();
        }

        @Override
        public void add(
                int from,
                int to,
                int firstColumn,
                int lastColumn,
                float[] a,
                int aOffset,
                int aStride,
                float[] y,
                int yOffset,
                int yStride) {
            int rows = layout.rows();
            for (int block = 0; block < layout.scaleColumns(); block++) {
                int low = Math.max(firstColumn, block * layout.columnBlock());
                int high = (int) Math.min(lastColumn, (block + 1L) * layout.columnBlock());
                if (low >= high) {
                    continue;
                }
                int at = scales.turnedAt(block);
                multiplyRows(
                        a, aOffset + from, aStride, scales.turnedScales(), at + from, factors, from, rows, to - from);
                for (int r = 0; scales.affine() && r < PageKernel.ROWS; r++) {
                    float constant = dot(a, aOffset + r * aStride + from, scales.turnedMinima(), at + from, to - from);
                    shift(y, yOffset + r * yStride + low, high - low, constant);
                }
                kernel.add(
                        half,
                        layout.codesOffset(),
                        layout.columns(),
                        from,
                        to,
                        low,
                        high,
                        factors,
                        0,
                        rows,
                        y,
                        yOffset,
                        yStride);
            }
        }

        @Override
        public void restore(float[] y, int at, int count) {}
    }

    /** The scales of a half page as floats, and its minima. */
    private static final class Scales {
        private final BlockCodec codec;
        private final HalfShape shape;
        private final BlockLayout layout;
        private final Half scratch;
        private final float[] scales;
        private final float[] minima;
        private float[] turnedScales = {};
        private float[] turnedMinima = {};

        Scales(BlockCodec codec, HalfShape shape, BlockLayout layout, Half scratch) {
            this.codec = codec;
            this.shape = shape;
            this.layout = layout;
            this.scratch = scratch;
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

        /** Turns scales, and minima, into one run for each block of columns, with an element for each row. */
        void turn() {
            turnedScales = turned(scales, Half.Part.TURNED_SCALES, Half.Part.SPARE_SCALES);
            turnedMinima = affine() ? turned(minima, Half.Part.TURNED_MINIMA, Half.Part.SPARE_MINIMA) : NO_MINIMA;
        }

        private float[] turned(float[] natural, Half.Part use, Half.Part spare) {
            int blocks = layout.scaleColumns();
            int rows = layout.rows();
            if (blocks == 1 && layout.rowBlock() == 1) {
                return natural;
            }
            float[] out = scratch.of(use, blocks * rows);
            if (halved()) {
                float[] from = natural;
                boolean toSpare = false;
                for (int count = blocks; count > 1; count /= 2) {
                    float[] to = toSpare ? scratch.of(spare, blocks * rows) : out;
                    for (int part = 0; part < blocks / count; part++) {
                        split(from, part * count * rows, count * rows, to);
                    }
                    from = to;
                    toSpare = !toSpare;
                }
                return from;
            }
            for (int row = 0; row < rows; row++) {
                int first = row / layout.rowBlock() * blocks;
                for (int block = 0; block < blocks; block++) {
                    out[block * rows + row] = natural[first + block];
                }
            }
            return out;
        }

        /** Whether runs come of taking every other element, again and again. */
        private boolean halved() {
            return layout.rowBlock() == 1 && Integer.bitCount(layout.scaleColumns()) == 1 && layout.rows() % LANES == 0;
        }

        /** Even elements, then odd ones. */
        private void split(float[] from, int at, int count, float[] to) {
            for (int i = 0; i < count / 2; i += LANES) {
                FloatVector low = FloatVector.fromArray(FLOATS, from, at + 2 * i);
                FloatVector high = FloatVector.fromArray(FLOATS, from, at + 2 * i + LANES);
                ORDER.even(low, high).intoArray(to, at + i);
                ORDER.odd(low, high).intoArray(to, at + count / 2 + i);
            }
        }

        /** Where the run of a block of columns starts. */
        int turnedAt(int block) {
            int blocks = layout.scaleColumns();
            int place = blocks > 1 && halved()
                    ? Integer.reverse(block) >>> Integer.SIZE - Integer.numberOfTrailingZeros(blocks)
                    : block;
            return place * layout.rows();
        }

        float[] turnedScales() {
            return turnedScales;
        }

        float[] turnedMinima() {
            return turnedMinima;
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
                    scale(
                            tile,
                            at + c,
                            Math.min(columnBlock, columns - c),
                            scales[block],
                            affine() ? minima[block] : 0f);
                }
            }
        }
    }

    private static float sum(float[] values, int at, int count) {
        FloatVector sum = FloatVector.zero(FLOATS);
        int i = 0;
        for (; i + LANES <= count; i += LANES) {
            sum = sum.add(FloatVector.fromArray(FLOATS, values, at + i));
        }
        float result = sum.reduceLanes(VectorOperators.ADD);
        for (; i < count; i++) {
            result += values[at + i];
        }
        return result;
    }

    private static float dot(float[] a, int aAt, float[] b, int bAt, int count) {
        FloatVector sum = FloatVector.zero(FLOATS);
        int i = 0;
        for (; i + LANES <= count; i += LANES) {
            sum = FloatVector.fromArray(FLOATS, a, aAt + i).fma(FloatVector.fromArray(FLOATS, b, bAt + i), sum);
        }
        float result = sum.reduceLanes(VectorOperators.ADD);
        for (; i < count; i++) {
            result += a[aAt + i] * b[bAt + i];
        }
        return result;
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

    /** out[r] += a[r] ⊙ b for four rows. */
    private static void addProducts(
            float[] a, int aAt, int aStride, float[] b, int bAt, float[] out, int at, int stride, int count) {
        int i = 0;
        for (; i + LANES <= count; i += LANES) {
            FloatVector factor = FloatVector.fromArray(FLOATS, b, bAt + i);
            addProduct(a, aAt + i, factor, out, at + i);
            addProduct(a, aAt + aStride + i, factor, out, at + stride + i);
            addProduct(a, aAt + 2 * aStride + i, factor, out, at + 2 * stride + i);
            addProduct(a, aAt + 3 * aStride + i, factor, out, at + 3 * stride + i);
        }
        for (; i < count; i++) {
            for (int r = 0; r < PageKernel.ROWS; r++) {
                out[at + r * stride + i] += a[aAt + r * aStride + i] * b[bAt + i];
            }
        }
    }

    private static void addProduct(float[] a, int aAt, FloatVector factor, float[] out, int at) {
        FloatVector.fromArray(FLOATS, a, aAt)
                .fma(factor, FloatVector.fromArray(FLOATS, out, at))
                .intoArray(out, at);
    }

    /** out[r] = a[r] ⊙ b for four rows. */
    private static void multiplyRows(
            float[] a, int aAt, int aStride, float[] b, int bAt, float[] out, int at, int stride, int count) {
        int i = 0;
        for (; i + LANES <= count; i += LANES) {
            FloatVector factor = FloatVector.fromArray(FLOATS, b, bAt + i);
            FloatVector.fromArray(FLOATS, a, aAt + i).mul(factor).intoArray(out, at + i);
            FloatVector.fromArray(FLOATS, a, aAt + aStride + i).mul(factor).intoArray(out, at + stride + i);
            FloatVector.fromArray(FLOATS, a, aAt + 2 * aStride + i).mul(factor).intoArray(out, at + 2 * stride + i);
            FloatVector.fromArray(FLOATS, a, aAt + 3 * aStride + i).mul(factor).intoArray(out, at + 3 * stride + i);
        }
        for (; i < count; i++) {
            for (int r = 0; r < PageKernel.ROWS; r++) {
                out[at + r * stride + i] = a[aAt + r * aStride + i] * b[bAt + i];
            }
        }
    }

    private static void shift(float[] values, int at, int count, float by) {
        scale(values, at, count, 1f, by);
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
