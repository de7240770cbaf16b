package org.pikv4j.cpu;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;
import org.pikv4j.cache.compression.BlockCodec;
import org.pikv4j.cache.compression.BlockLayout;
import org.pikv4j.cache.compression.CodeFormat;
import org.pikv4j.cache.compression.Codec;
import org.pikv4j.cache.compression.ExactCodec;
import org.pikv4j.cache.compression.HalfShape;
import org.pikv4j.cpu.PageKernel.Scaled;
import org.pikv4j.cpu.PageKernel.Scaling;
import org.pikv4j.cpu.Scratch.Half;
import org.pikv4j.tensor.DType;

/**
 * Products with halves of pages in any codec. Those whose bits are known are multiplied as they are read, without a
 * decoded copy, as long as there are few rows to multiply: each row of four decodes anew. What is left goes by way of one
 * page's tile of floats, decoded by the kernels where they know the bits and by the codec where they do not.
 */
final class HalfProducts {
    private static final int LANES = FloatVector.SPECIES_PREFERRED.length();
    /** Columns of a tile are padded to a multiple of this. */
    private static final int PADDING = 8;

    /**
     * From so many entries on, a page is decoded once for all of them: until then it costs more to write floats and read
     * them again than to unpack the codes once more for each four. Measured at head dims 64 and 128.
     */
    private static final int DECODED_ENTRIES = 12;

    private final int decodedEntries;
    // What reads rows, widest vectors first.
    private final List<PageLoad<float[]>> arrays;
    private final Map<DType, List<PageLoad<MemorySegment>>> exact = new EnumMap<>(DType.class);
    private final Map<CodeFormat, List<PageLoad<MemorySegment>>> codes = new ConcurrentHashMap<>();
    private final Map<PageTemplate.Use, PageKernel<?>> kernels = new ConcurrentHashMap<>();
    // What was chosen: an item only looks it up.
    private final Map<Integer, Optional<PageKernel<float[]>>> byColumns = new ConcurrentHashMap<>();
    private final Map<Use, Maker> makers = new ConcurrentHashMap<>();

    /**
     * What a choice depends on.
     *
     * @param few whether pages are decoded anew for each four entries
     */
    private record Use(Codec codec, HalfShape shape, boolean few) {}

    /** Makes products that use a worker's buffers. */
    private interface Maker {
        HalfProduct<?> make(Half scratch);
    }

    /**
     * @param fused whether pages may be multiplied as they are read
     */
    HalfProducts(boolean fused) {
        decodedEntries = fused ? DECODED_ENTRIES : 1;
        arrays = widths().stream().<PageLoad<float[]>>map(PageLoad.Floats::new).toList();
        for (DType dtype : DType.values()) {
            exact.put(
                    dtype,
                    widths().stream().map(floats -> PageLoad.of(dtype, floats)).toList());
        }
    }

    private static List<VectorSpecies<Float>> widths() {
        return List.of(FloatVector.SPECIES_512, FloatVector.SPECIES_256, FloatVector.SPECIES_128).stream()
                .filter(floats -> floats.length() <= LANES)
                .toList();
    }

    private static List<PageLoad<MemorySegment>> loads(CodeFormat format) {
        return widths().stream()
                .flatMap(floats -> PageLoad.of(format, floats).stream())
                .toList();
    }

    /** The kernel for rows of so many columns, of which a block is turned to at a time; empty if no vector divides them. */
    private <S> Optional<PageKernel<S>> kernel(List<PageLoad<S>> loads, int columns, int block, Scaled scaled) {
        return loads.stream()
                .filter(load -> load.fits(columns) && (block >= columns || block % load.grain() == 0))
                .findFirst()
                .map(load -> kernel(load, columns, scaled));
    }

    @SuppressWarnings("unchecked") // the copy is made for what reads an S
    private <S> PageKernel<S> kernel(PageLoad<S> load, int columns, Scaled scaled) {
        PageTemplate.Use use = new PageTemplate.Use(load, columns, scaled);
        return (PageKernel<S>)
                kernels.computeIfAbsent(use, u -> Specialised.of(PageTemplate.class, PageKernel.class, u));
    }

    /**
     * @param columns length of rows
     * @return products with arrays of such rows; empty if no vector divides them
     */
    Optional<PageKernel<float[]>> arrays(int columns) {
        return byColumns.computeIfAbsent(columns, c -> kernel(arrays, c, c, Scaled.NOT));
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
    HalfProduct<?> of(Codec codec, HalfShape shape, int entries, Half scratch) {
        return makers.computeIfAbsent(new Use(codec, shape, entries < decodedEntries), this::maker)
                .make(scratch);
    }

    private Maker maker(Use use) {
        Optional<Maker> maker = switch (use.codec()) {
            case ExactCodec(DType dtype) -> exact(dtype, use.shape());
            case BlockCodec blocks -> codes(blocks, use.shape(), use.few());
            default -> Optional.empty();
        };
        return maker.orElseGet(() -> decoded(use.codec(), use.shape()));
    }

    private Optional<Maker> exact(DType dtype, HalfShape shape) {
        return kernel(exact.getOrDefault(dtype, List.of()), shape.columns(), shape.columns(), Scaled.NOT)
                .map(kernel -> scratch -> new Exact(kernel));
    }

    /** Codes, as they are read or made floats by a kernel; empty if no vector divides the columns. */
    private Optional<Maker> codes(BlockCodec codec, HalfShape shape, boolean few) {
        BlockLayout layout = codec.layout(shape);
        List<PageLoad<MemorySegment>> loads = codes.computeIfAbsent(codec.codes(), HalfProducts::loads);
        Optional<Maker> fused = few ? fused(codec, shape, layout, loads) : Optional.empty();
        return fused.or(() -> kernel(loads, shape.columns(), shape.columns(), Scaled.NOT)
                .map(decoder -> widened(codec, shape, layout, decoder)));
    }

    private Maker widened(BlockCodec codec, HalfShape shape, BlockLayout layout, PageKernel<MemorySegment> decoder) {
        PageKernel<float[]> kernel = array(shape.columns());
        return scratch -> {
            HalfScales scales = new HalfScales(codec, shape, layout, scratch);
            return new Tile(kernel, half -> {
                float[] tile = scratch.of(Half.Part.TILE, shape.elements());
                scales.read(half);
                decoder.widen(half, layout.codesOffset(), shape.rows(), tile);
                scales.apply(tile);
                return tile;
            });
        };
    }

    /** What multiplies with codes as they are read; empty where they have to be decoded first. */
    private Optional<Maker> fused(
            BlockCodec codec, HalfShape shape, BlockLayout layout, List<PageLoad<MemorySegment>> loads) {
        boolean affine = codec.scaleFormat().affine();
        int columns = layout.columns();
        if (layout.columnBlock() == 1) {
            return kernel(loads, columns, columns, affine ? Scaled.AFFINE_COLUMNS : Scaled.COLUMNS)
                    .map(kernel -> scratch ->
                            new ScaledColumns(kernel, layout, new HalfScales(codec, shape, layout, scratch)));
        }
        if (layout.rowBlock() > 1 && affine) {
            return Optional.empty(); // no built-in codec has minima for rows and columns: it is decoded first
        }
        return kernel(loads, columns, layout.columnBlock(), affine ? Scaled.SHIFTED : Scaled.NOT)
                .map(kernel -> scratch ->
                        new ScaledRows(kernel, layout, new HalfScales(codec, shape, layout, scratch), scratch));
    }

    /** What the codec itself decodes. */
    private Maker decoded(Codec codec, HalfShape shape) {
        int columns = shape.columns();
        int padded = Math.ceilDiv(columns, PADDING) * PADDING;
        PageKernel<float[]> kernel = array(padded);
        return scratch -> new Tile(kernel, half -> {
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
    private static final class Exact extends HalfProduct<MemorySegment> {
        private MemorySegment half = MemorySegment.NULL;

        Exact(PageKernel<MemorySegment> kernel) {
            super(kernel);
        }

        @Override
        void open(MemorySegment half) {
            this.half = half;
        }

        @Override
        void add(int from, int to, int firstColumn, int lastColumn, float[] a, int aOffset, float[] y, int yOffset) {
            kernel.add(half, 0, from, to, firstColumn, lastColumn, a, aOffset, PageKernel.NOT_SCALED, y, yOffset);
        }
    }

    /** Anything, once it is floats. */
    private static final class Tile extends HalfProduct<float[]> {
        private final Decoder decoder;
        private float[] tile = {};

        interface Decoder {
            float[] decode(MemorySegment half);
        }

        Tile(PageKernel<float[]> kernel, Decoder decoder) {
            super(kernel);
            this.decoder = decoder;
        }

        @Override
        void open(MemorySegment half) {
            tile = decoder.decode(half);
        }

        @Override
        void add(int from, int to, int firstColumn, int lastColumn, float[] a, int aOffset, float[] y, int yOffset) {
            kernel.add(tile, 0, from, to, firstColumn, lastColumn, a, aOffset, PageKernel.NOT_SCALED, y, yOffset);
        }
    }

    /** Codes whose columns have scales of their own, block of rows by block of rows: those multiply sums of a block. */
    private static final class ScaledColumns extends HalfProduct<MemorySegment> {
        private final BlockLayout layout;
        private final HalfScales scales;
        private final Scaling scaling = new Scaling();
        private MemorySegment half = MemorySegment.NULL;

        ScaledColumns(PageKernel<MemorySegment> kernel, BlockLayout layout, HalfScales scales) {
            super(kernel);
            this.layout = layout;
            this.scales = scales;
            scaling.scales = scales.scales();
            scaling.minima = scales.minima();
        }

        @Override
        void open(MemorySegment half) {
            this.half = half;
            scales.read(half);
        }

        @Override
        void add(int from, int to, int firstColumn, int lastColumn, float[] a, int aOffset, float[] y, int yOffset) {
            int rowBlock = layout.rowBlock();
            for (int block = from / rowBlock; block * rowBlock < to; block++) {
                int low = Math.max(from, block * rowBlock);
                int high = Math.min(to, (block + 1) * rowBlock);
                scaling.at = block * layout.columns();
                if (scales.affine()) {
                    Packed.sum(a, aOffset, low, high, scaling.constants);
                }
                kernel.add(
                        half,
                        layout.codesOffset(),
                        low,
                        high,
                        firstColumn,
                        lastColumn,
                        a,
                        aOffset,
                        scaling,
                        y,
                        yOffset);
            }
        }
    }

    /** Codes of which neighbouring columns share a scale: it multiplies the left factor. */
    private static final class ScaledRows extends HalfProduct<MemorySegment> {
        private final BlockLayout layout;
        private final HalfScales scales;
        private final Scaling scaling = new Scaling();
        private final float[] factors;
        private MemorySegment half = MemorySegment.NULL;

        ScaledRows(PageKernel<MemorySegment> kernel, BlockLayout layout, HalfScales scales, Half scratch) {
            super(kernel);
            this.layout = layout;
            this.scales = scales;
            this.factors = scratch.of(Half.Part.FACTORS, PageKernel.ROWS * layout.rows());
        }

        @Override
        void open(MemorySegment half) {
            this.half = half;
            scales.read(half);
        }

        @Override
        void add(int from, int to, int firstColumn, int lastColumn, float[] a, int aOffset, float[] y, int yOffset) {
            int blocks = layout.scaleColumns();
            for (int block = 0; block < blocks; block++) {
                int low = Math.max(firstColumn, block * layout.columnBlock());
                int high = (int) Math.min(lastColumn, (block + 1L) * layout.columnBlock());
                if (low >= high) {
                    continue;
                }
                scale(block, from, to, a, aOffset);
                kernel.add(half, layout.codesOffset(), from, to, low, high, factors, 0, scaling, y, yOffset);
            }
        }

        private void scale(int block, int from, int to, float[] a, int aOffset) {
            int blocks = layout.scaleColumns();
            int rowBlock = layout.rowBlock();
            if (rowBlock == 1) {
                Packed.multiply(a, aOffset, scales.scales(), block, blocks, factors, from, to);
                if (scales.affine()) {
                    Packed.dot(a, aOffset, scales.minima(), block, blocks, from, to, scaling.constants);
                }
                return;
            }
            for (int rows = from / rowBlock; rows * rowBlock < to; rows++) {
                int low = Math.max(from, rows * rowBlock);
                int high = Math.min(to, (rows + 1) * rowBlock);
                Packed.multiply(a, aOffset, scales.scales(), rows * blocks + block, 0, factors, low, high);
            }
        }
    }
}
