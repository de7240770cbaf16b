package org.pikv4j.cache.compression;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.pikv4j.cache.compression.HalfShape.Side;

/**
 * Numbers of a few bits with a scale per block: the one codec of all number formats. They differ in their codes, in how a
 * scale is chosen and stored, and in the elements that share one. {@link BlockLayout} has the bytes.
 *
 * <p>An element is code value · scale, or code value · scale + minimum for a {@link ScaleFormat#affine} one. Everything finite
 * decodes to something finite; magnitudes above {@code 0x1.fcp127} saturate.
 */
public final class BlockCodec implements Codec {

    /**
     * Elements that share a scale.
     *
     * @param tokens tokens of the page, or {@link #ALL}
     * @param channels elements of a token, or {@link #ALL}
     */
    public record Extent(int tokens, int channels) {

        /** As many as there are. */
        public static final int ALL = Integer.MAX_VALUE;

        public Extent {
            if (tokens < 1 || channels < 1) {
                throw new IllegalArgumentException("a scale for " + tokens + " tokens by " + channels);
            }
        }
    }

    private final String name;
    private final CodeFormat codes;
    private final ScaleFormat scaleFormat;
    private final Extent keys;
    private final Extent values;
    private final float[] table;

    /**
     * @param name its name in options
     * @param codes how codes stand for numbers
     * @param scaleFormat how scales are chosen and stored
     * @param keys elements of keys that share a scale
     * @param values elements of values that share a scale
     */
    public BlockCodec(String name, CodeFormat codes, ScaleFormat scaleFormat, Extent keys, Extent values) {
        this.name = name;
        this.codes = codes;
        this.scaleFormat = scaleFormat;
        this.keys = keys;
        this.values = values;
        this.table = codes.table();
    }

    @Override
    public String name() {
        return name;
    }

    /** Levels for a normal variable are: rotated rows are close to normal, whatever the model's own are. */
    @Override
    public boolean rotated() {
        return codes instanceof CodeFormat.LloydMax;
    }

    /**
     * @return how codes stand for numbers
     */
    public CodeFormat codes() {
        return codes;
    }

    /**
     * @return how scales are chosen and stored
     */
    public ScaleFormat scaleFormat() {
        return scaleFormat;
    }

    /**
     * @param shape the half
     * @return where its bytes are
     */
    public BlockLayout layout(HalfShape shape) {
        boolean transposed = shape.side() == Side.KEYS;
        Extent extent = transposed ? keys : values;
        int tokens = Math.min(extent.tokens(), shape.tokens());
        int channels = Math.min(extent.channels(), shape.width());
        return BlockLayout.of(
                shape,
                codes.bits(),
                transposed ? channels : tokens,
                transposed ? tokens : channels,
                scaleFormat.bytes(),
                scaleFormat.affine(),
                scaleFormat.global());
    }

    @Override
    public int bytes(HalfShape shape) {
        return layout(shape).bytes();
    }

    @Override
    public int scaleBytes(HalfShape shape) {
        return layout(shape).codesOffset();
    }

    /**
     * Reads the scales of a half, ready to multiply: the float of the half page, where there is one, is a factor of each.
     *
     * @param shape the half
     * @param half its bytes
     * @param scales receives (scaleRows, scaleColumns)
     * @param minima receives as many, if the codec is affine; else it is left alone and may be empty
     */
    public void scales(HalfShape shape, MemorySegment half, float[] scales, float[] minima) {
        scales(layout(shape), half, scales, minima);
    }

    private void scales(BlockLayout layout, MemorySegment half, float[] scales, float[] minima) {
        int count = layout.scales();
        scaleFormat.read(half, layout.scalesOffset(), scales, count);
        if (scaleFormat.affine()) {
            scaleFormat.read(half, layout.minimaOffset(), minima, count);
        }
        if (scaleFormat.global()) {
            float global = BlockLayout.GLOBAL.read(half, 0);
            for (int i = 0; i < count; i++) {
                scales[i] *= global;
            }
        }
    }

    @Override
    public void encode(HalfShape shape, float[] in, MemorySegment out) {
        BlockLayout layout = layout(shape);
        // Equal pages have equal bytes, the few between the parts included.
        out.fill((byte) 0);
        ScaleFormat.Block[] blocks = blocks(layout, in);
        writeScales(layout, in, blocks, out);

        // Scales are used as they were rounded, and a block with none has the code of zero throughout.
        Scales scales = new Scales(layout, out, Float.POSITIVE_INFINITY);
        byte[] rowCodes = layout.newRow();
        byte[] packed = new byte[layout.rowBytes()];
        for (int row = 0; row < layout.rows(); row++) {
            scales.moveTo(row);
            int first = row * layout.columns();
            for (int c = 0; c < layout.columns(); c++) {
                // In double: between the extremes of a float lies more than a float.
                rowCodes[c] =
                        (byte) codes.code((float) (((double) in[first + c] - scales.minimum[c]) / scales.scale[c]));
            }
            layout.pack(rowCodes, packed);
            MemorySegment.copy(
                    MemorySegment.ofArray(packed),
                    0,
                    out,
                    layout.codesOffset() + (long) row * layout.rowBytes(),
                    layout.rowBytes());
        }
        if (scaleFormat.keepsNorm()) {
            correctNorms(shape, layout, blocks, out);
        }
    }

    @Override
    public void decode(HalfShape shape, MemorySegment in, float[] out) {
        BlockLayout layout = layout(shape);
        Scales scales = new Scales(layout, in, 0f);
        byte[] rowCodes = layout.newRow();
        byte[] packed = new byte[layout.rowBytes()];
        for (int row = 0; row < layout.rows(); row++) {
            scales.moveTo(row);
            MemorySegment.copy(
                    in,
                    layout.codesOffset() + (long) row * layout.rowBytes(),
                    MemorySegment.ofArray(packed),
                    0,
                    layout.rowBytes());
            layout.unpack(packed, rowCodes);
            int first = row * layout.columns();
            for (int c = 0; c < layout.columns(); c++) {
                out[first + c] = (float) ((double) table[rowCodes[c] & 0xff] * scales.scale[c] + scales.minimum[c]);
            }
        }
    }

    private static ScaleFormat.Block[] blocks(BlockLayout layout, float[] matrix) {
        ScaleFormat.Block[] blocks = new ScaleFormat.Block[layout.scales()];
        Arrays.setAll(blocks, i -> new ScaleFormat.Block());
        for (int row = 0; row < layout.rows(); row++) {
            int firstBlock = row / layout.rowBlock() * layout.scaleColumns();
            int first = row * layout.columns();
            for (int b = 0; b < layout.scaleColumns(); b++) {
                int from = b * layout.columnBlock();
                int to = Math.min(from + layout.columnBlock(), layout.columns());
                blocks[firstBlock + b].add(matrix, first + from, first + to);
            }
        }
        return blocks;
    }

    private void writeScales(BlockLayout layout, float[] in, ScaleFormat.Block[] blocks, MemorySegment out) {
        float global = 1f;
        if (scaleFormat.global()) {
            ScaleFormat.Block half = new ScaleFormat.Block();
            half.add(in, 0, layout.rows() * layout.columns());
            global = ScaleFormat.globalScale(half, codes);
            BlockLayout.GLOBAL.write(out, 0, global);
        }
        for (int i = 0; i < blocks.length; i++) {
            long offset = (long) i * scaleFormat.bytes();
            if (scaleFormat.affine()) {
                blocks[i].low = ScaleFormat.minimum(blocks[i].low);
                scaleFormat.write(out, layout.minimaOffset() + offset, blocks[i].low, 1f);
            }
            double scale = scaleFormat.choose(blocks[i], codes);
            if (scaleFormat.trials() > 1 && scale > 0) {
                scale = best(layout, in, i, scale, global);
            }
            scaleFormat.write(out, layout.scalesOffset() + offset, scale, global);
        }
    }

    /** The scale, of those to be tried, by which a block is coded best. */
    private double best(BlockLayout layout, float[] in, int block, double chosen, float global) {
        double best = chosen;
        double smallest = Double.POSITIVE_INFINITY;
        for (int trial = 0; trial < scaleFormat.trials(); trial++) {
            double scale = scaleFormat.tried(chosen, codes, trial);
            double squares = squaredError(layout, in, block, scaleFormat.rounded(scale, global));
            if (squares < smallest) {
                smallest = squares;
                best = scale;
            }
        }
        return best;
    }

    private double squaredError(BlockLayout layout, float[] in, int block, double scale) {
        double divisor = scale == 0 ? Double.POSITIVE_INFINITY : scale;
        int firstRow = block / layout.scaleColumns() * layout.rowBlock();
        int firstColumn = block % layout.scaleColumns() * layout.columnBlock();
        int lastColumn = Math.min(firstColumn + layout.columnBlock(), layout.columns());
        double squares = 0;
        for (int row = firstRow; row < Math.min(firstRow + layout.rowBlock(), layout.rows()); row++) {
            for (int c = firstColumn; c < lastColumn; c++) {
                float x = in[row * layout.columns() + c];
                double error = table[codes.code((float) (x / divisor)) & 0xff] * scale - x;
                squares += error * error;
            }
        }
        return squares;
    }

    /** Scales what was coded to the norms that the blocks had. */
    private void correctNorms(HalfShape shape, BlockLayout layout, ScaleFormat.Block[] blocks, MemorySegment out) {
        float[] decoded = new float[shape.elements()];
        decode(shape, out, decoded);
        float[] scales = new float[layout.scales()];
        scales(layout, out, scales, scales);
        ScaleFormat.Block[] coded = blocks(layout, decoded);
        for (int i = 0; i < coded.length; i++) {
            if (coded[i].meanSquare() > 0) {
                double ratio = Math.sqrt(blocks[i].meanSquare() / coded[i].meanSquare());
                double scale = Math.min(scales[i] * ratio, ScaleFormat.LARGEST / codes.largest());
                scaleFormat.write(out, layout.scalesOffset() + (long) i * scaleFormat.bytes(), scale, 1f);
            }
        }
    }

    /** The scale and minimum of every column, for the rows that share them. */
    private final class Scales {
        private final BlockLayout layout;
        private final float[] blockScales;
        private final float[] blockMinima;
        private final float none;
        final float[] scale;
        final float[] minimum;

        /**
         * @param none what stands for the scale 0
         */
        Scales(BlockLayout layout, MemorySegment half, float none) {
            this.layout = layout;
            this.none = none;
            blockScales = new float[layout.scales()];
            blockMinima = new float[layout.scales()];
            scales(layout, half, blockScales, blockMinima);
            scale = new float[layout.columns()];
            minimum = new float[layout.columns()];
        }

        void moveTo(int row) {
            if (row % layout.rowBlock() != 0) {
                return;
            }
            int firstBlock = row / layout.rowBlock() * layout.scaleColumns();
            for (int c = 0; c < layout.columns(); c++) {
                int block = firstBlock + c / layout.columnBlock();
                scale[c] = blockScales[block] == 0f ? none : blockScales[block];
                minimum[c] = blockMinima[block];
            }
        }
    }
}
