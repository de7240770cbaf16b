package org.pikv4j.cache.compression;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.pikv4j.TestSeeds;
import org.pikv4j.cache.compression.HalfShape.Side;

class BlockCodecTest {
    private static final List<BlockCodec> ALL = Codecs.builtIn().stream()
            .filter(BlockCodec.class::isInstance)
            .map(BlockCodec.class::cast)
            .toList();

    /** What is written down of each format: bits of a code, tokens and channels of a block of keys, then of values. */
    private record Spec(int bits, int keyTokens, int keyChannels, int valueTokens, int valueChannels, String scale) {}

    private static final int ALL_OF = 1 << 20;

    private static final Map<String, Spec> SPECS = Map.ofEntries(
            Map.entry("fp8-e4m3", new Spec(8, ALL_OF, ALL_OF, ALL_OF, ALL_OF, "f32")),
            Map.entry("fp8-e5m2", new Spec(8, ALL_OF, ALL_OF, ALL_OF, ALL_OF, "f32")),
            Map.entry("int8", new Spec(8, 1, 32, 1, 32, "bf16")),
            Map.entry("int4", new Spec(4, 1, 32, 1, 32, "bf16")),
            Map.entry("int4a", new Spec(4, 1, 32, 1, 32, "bf16+min")),
            Map.entry("kivi4", new Spec(4, 32, 1, 1, 32, "bf16+min")),
            Map.entry("kivi2", new Spec(2, 32, 1, 1, 32, "bf16+min")),
            Map.entry("nvfp4", new Spec(4, 1, 16, 1, 16, "e4m3*f32")),
            Map.entry("mxfp4", new Spec(4, 1, 32, 1, 32, "e8m0")),
            Map.entry("turbo4", new Spec(4, 1, ALL_OF, 1, ALL_OF, "bf16")),
            Map.entry("turbo3", new Spec(3, 1, ALL_OF, 1, ALL_OF, "bf16")),
            Map.entry("turbo2", new Spec(2, 1, ALL_OF, 1, ALL_OF, "bf16")));

    private final long seed = TestSeeds.seed();
    private final SplittableRandom random = new SplittableRandom(seed);

    private static List<HalfShape> shapes() {
        List<HalfShape> shapes = new ArrayList<>();
        for (Side side : Side.values()) {
            for (int tokens : new int[] {1, 7, 16, 32, 48, 64}) {
                for (int width : new int[] {1, 5, 20, 24, 64, 80, 96}) {
                    shapes.add(new HalfShape(side, tokens, width));
                }
            }
        }
        return shapes;
    }

    private float[] normal(HalfShape shape) {
        float[] values = new float[shape.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    /** Encoded where nothing is aligned, in memory that was used before. */
    private static MemorySegment encode(Codec codec, HalfShape shape, float[] matrix) {
        MemorySegment half = Arena.ofAuto().allocate(codec.bytes(shape) + 1L).asSlice(1);
        half.fill((byte) 0x5a);
        codec.encode(shape, matrix, half);
        return half;
    }

    private static float[] decode(Codec codec, HalfShape shape, MemorySegment half) {
        float[] matrix = new float[shape.elements()];
        codec.decode(shape, half, matrix);
        return matrix;
    }

    private static float[] roundTrip(Codec codec, HalfShape shape, float[] matrix) {
        return decode(codec, shape, encode(codec, shape, matrix));
    }

    private static float[] scaleOfEveryElement(BlockCodec codec, HalfShape shape, MemorySegment half) {
        BlockLayout layout = codec.layout(shape);
        float[] scales = new float[layout.scales()];
        codec.scales(shape, half, scales, new float[scales.length]);
        float[] all = new float[shape.elements()];
        for (int i = 0; i < all.length; i++) {
            int row = i / layout.columns();
            int column = i % layout.columns();
            all[i] = scales[row / layout.rowBlock() * layout.scaleColumns() + column / layout.columnBlock()];
        }
        return all;
    }

    private String as(Codec codec, HalfShape shape) {
        return codec.name() + " " + shape + ", " + TestSeeds.repeat(seed);
    }

    /** The bytes of a half as the documentation has them, read one element at a time. */
    private record Reader(Spec spec, HalfShape shape, MemorySegment half) {

        int rowBlock() {
            int block = shape.side() == Side.KEYS ? spec.keyChannels : spec.valueTokens;
            return Math.min(block, shape.rows());
        }

        int columnBlock() {
            int block = shape.side() == Side.KEYS ? spec.keyTokens : spec.valueChannels;
            return Math.min(block, shape.columns());
        }

        int unitBytes(int count) {
            return switch (spec.bits) {
                case 8 -> count;
                case 4 -> (count + 1) / 2;
                case 3 -> (count + 3) / 4 + (count + 7) / 8;
                default -> (count + 3) / 4;
            };
        }

        int rowBytes() {
            return shape.columns() / 32 * unitBytes(32) + unitBytes(shape.columns() % 32);
        }

        int at(int offset) {
            return half.get(ValueLayout.JAVA_BYTE, offset) & 0xff;
        }

        int code(int row, int column) {
            int unit = codesOffset() + row * rowBytes() + column / 32 * unitBytes(32);
            int n = Math.min(32, shape.columns() - column / 32 * 32);
            int j = column % 32;
            int h = (n + 1) / 2;
            int q = (n + 3) / 4;
            return switch (spec.bits) {
                case 8 -> at(unit + j);
                case 4 -> j < h ? at(unit + j) & 15 : at(unit + j - h) >> 4;
                case 3 -> (at(unit + j % q) >> 2 * (j / q) & 3) | (at(unit + q + j / 8) >> j % 8 & 1) << 2;
                default -> at(unit + j % q) >> 2 * (j / q) & 3;
            };
        }

        int aligned(int offset) {
            return (offset + 3) / 4 * 4;
        }

        int scaleBytes() {
            return switch (spec.scale) {
                case "f32" -> 4;
                case "bf16", "bf16+min" -> 2;
                default -> 1;
            };
        }

        int scaleColumns() {
            return (shape.columns() + columnBlock() - 1) / columnBlock();
        }

        int scaleCount() {
            return (shape.rows() + rowBlock() - 1) / rowBlock() * scaleColumns();
        }

        int scalesOffset() {
            return spec.scale.equals("e4m3*f32") ? 4 : 0;
        }

        int afterScales() {
            return aligned(scalesOffset() + scaleCount() * scaleBytes());
        }

        int codesOffset() {
            return spec.scale.equals("bf16+min") ? aligned(afterScales() + scaleCount() * scaleBytes()) : afterScales();
        }

        int bytes() {
            return codesOffset() + shape.rows() * rowBytes();
        }

        float bf16(int offset) {
            return Float.intBitsToFloat(at(offset) << 16 | at(offset + 1) << 24);
        }

        float f32(int offset) {
            return half.get(ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), offset);
        }

        int block(int row, int column) {
            return row / rowBlock() * scaleColumns() + column / columnBlock();
        }

        double scale(int row, int column) {
            int offset = scalesOffset() + block(row, column) * scaleBytes();
            return switch (spec.scale) {
                case "f32" -> f32(offset);
                case "e8m0" -> Math.pow(2, at(offset) - 127);
                case "e4m3*f32" -> {
                    int exponent = at(offset) >> 3;
                    int mantissa = at(offset) & 7;
                    double scale =
                            exponent == 0 ? mantissa * Math.pow(2, -9) : (8 + mantissa) * Math.pow(2, exponent - 10);
                    yield (float) (scale * f32(0));
                }
                default -> bf16(offset);
            };
        }

        double minimum(int row, int column) {
            return spec.scale.equals("bf16+min") ? bf16(afterScales() + 2 * block(row, column)) : 0;
        }
    }

    @Test
    void bytesAreAsDocumented() {
        assertThat(ALL).extracting(BlockCodec::name).containsExactlyInAnyOrderElementsOf(SPECS.keySet());
        for (BlockCodec codec : ALL) {
            for (HalfShape shape : shapes()) {
                MemorySegment half = encode(codec, shape, normal(shape));
                Reader reader = new Reader(SPECS.get(codec.name()), shape, half);
                assertThat(codec.bytes(shape)).as(as(codec, shape)).isEqualTo(reader.bytes());
                float[] decoded = decode(codec, shape, half);
                float[] scales = scaleOfEveryElement(codec, shape, half);
                for (int row = 0; row < shape.rows(); row++) {
                    for (int column = 0; column < shape.columns(); column++) {
                        int i = row * shape.columns() + column;
                        double scale = reader.scale(row, column);
                        double expected =
                                codec.codes().value(reader.code(row, column)) * scale + reader.minimum(row, column);
                        // A message for each of a million elements would cost more than all else.
                        if (decoded[i] != (float) expected || scales[i] != scale) {
                            fail("row %s, column %s: %s, scale %s; documented %s, %s; %s"
                                    .formatted(row, column, decoded[i], scales[i], expected, scale, as(codec, shape)));
                        }
                    }
                }
                int scalesEnd = reader.scalesOffset() + reader.scaleCount() * reader.scaleBytes();
                for (int gap = scalesEnd; gap < reader.afterScales(); gap++) {
                    assertThat(reader.at(gap)).as(as(codec, shape)).isZero();
                }
            }
        }
    }

    @Test
    void equalHalvesHaveEqualBytes() {
        for (BlockCodec codec : ALL) {
            for (HalfShape shape : shapes()) {
                float[] matrix = normal(shape);
                assertThat(encode(codec, shape, matrix).mismatch(encode(codec, shape, matrix)))
                        .as(as(codec, shape))
                        .isEqualTo(-1);
            }
        }
    }

    /** How far an element may come out from where it was, as a multiple of its scale. */
    private static double bound(BlockCodec codec, float x, float scale) {
        return switch (codec.name()) {
            case "int8", "int4", "int4a", "kivi4", "kivi2" -> 0.5 * scale * (1 + 1e-5);
            case "fp8-e4m3" -> Math.max(Math.abs(x) * 0x1p-4, scale * 0x1p-10) * (1 + 1e-6);
            case "fp8-e5m2" -> Math.max(Math.abs(x) * 0x1p-3, scale * 0x1p-17) * (1 + 1e-6);
            // Half a step of 2 between 4 and 6; what lies above 6, by the rounding of a scale up to 7, is cut off.
            case "nvfp4" -> scale * (1 + 1e-5);
            case "mxfp4" -> Math.max(scale, Math.abs(x) - 6 * scale) * (1 + 1e-5);
            default -> throw new AssertionError(codec.name());
        };
    }

    @Test
    void elementsComeOutWithinTheirSteps() {
        for (BlockCodec codec : ALL) {
            if (codec.rotated()) {
                continue;
            }
            for (HalfShape shape : shapes()) {
                float[] matrix = normal(shape);
                float offset = random.nextInt(3) * 10f;
                for (int i = 0; i < matrix.length; i++) {
                    matrix[i] += offset;
                }
                MemorySegment half = encode(codec, shape, matrix);
                float[] decoded = decode(codec, shape, half);
                float[] scales = scaleOfEveryElement(codec, shape, half);
                for (int i = 0; i < matrix.length; i++) {
                    // Beside a minimum, an element is rounded to a float once more.
                    double bound = bound(codec, matrix[i], scales[i]) + Math.ulp(matrix[i]);
                    if (!(Math.abs((double) decoded[i] - matrix[i]) <= bound)) {
                        fail("%s became %s, scale %s, %s"
                                .formatted(matrix[i], decoded[i], scales[i], as(codec, shape)));
                    }
                }
            }
        }
    }

    @Test
    void normsOfTokensAreKept() {
        for (BlockCodec codec : ALL) {
            if (!codec.rotated()) {
                continue;
            }
            for (HalfShape shape : shapes()) {
                float[] matrix = normal(shape);
                float[] decoded = roundTrip(codec, shape, matrix);
                for (int t = 0; t < shape.tokens(); t++) {
                    double norm = 0;
                    double after = 0;
                    for (int i = 0; i < shape.width(); i++) {
                        norm += Math.pow(matrix[shape.index(t, i)], 2);
                        after += Math.pow(decoded[shape.index(t, i)], 2);
                    }
                    assertThat(Math.sqrt(after / norm)).as(as(codec, shape)).isCloseTo(1, within(0x1p-8));
                }
            }
        }
    }

    /** √(Σ(x − x̂)² / Σx²) of a standard normal variable, with pages of 64 tokens by 64. */
    @Test
    void errorsOnNormalDataAreThoseOfTheFormats() {
        Map<String, Double> expected = Map.ofEntries(
                Map.entry("fp8-e4m3", 0.0264),
                Map.entry("fp8-e5m2", 0.0525),
                Map.entry("int8", 0.0054),
                Map.entry("int4", 0.097),
                Map.entry("int4a", 0.079),
                Map.entry("kivi4", 0.079),
                Map.entry("kivi2", 0.395),
                Map.entry("nvfp4", 0.0865),
                Map.entry("mxfp4", 0.1116),
                // The distortions of the optimal quantisers: 0.0095, 0.0345 and 0.1175 of the variance.
                Map.entry("turbo4", 0.0975),
                Map.entry("turbo3", 0.186),
                Map.entry("turbo2", 0.343));
        for (BlockCodec codec : ALL) {
            for (Side side : Side.values()) {
                HalfShape shape = new HalfShape(side, 64, 64);
                double error = 0;
                double norm = 0;
                for (int round = 0; round < 8; round++) {
                    float[] matrix = normal(shape);
                    float[] decoded = roundTrip(codec, shape, matrix);
                    for (int i = 0; i < matrix.length; i++) {
                        error += Math.pow((double) decoded[i] - matrix[i], 2);
                        norm += Math.pow(matrix[i], 2);
                    }
                }
                double relative = Math.sqrt(error / norm);
                double usual = expected.get(codec.name());
                assertThat(relative).as(as(codec, shape)).isCloseTo(usual, within(0.08 * usual));
            }
        }
    }

    @Test
    void anOutlyingChannelOfKeysIsItsOwnAffair() {
        HalfShape shape = new HalfShape(Side.KEYS, 64, 64);
        float[] matrix = normal(shape);
        float[] outlying = matrix.clone();
        for (int t = 0; t < shape.tokens(); t++) {
            outlying[shape.index(t, 7)] = 500 + matrix[shape.index(t, 7)];
        }
        for (String name : new String[] {"kivi4", "kivi2"}) {
            float[] before = roundTrip(Codecs.named(name), shape, matrix);
            float[] after = roundTrip(Codecs.named(name), shape, outlying);
            for (int i = 0; i < before.length; i++) {
                if (i / shape.tokens() == 7) {
                    assertThat(after[i]).as(TestSeeds.repeat(seed)).isCloseTo(outlying[i], within(4f));
                } else {
                    assertThat(after[i]).isEqualTo(before[i]);
                }
            }
        }
        float[] perToken = roundTrip(Codecs.named("int4a"), shape, outlying);
        assertThat(perToken[shape.index(3, 8)])
                .as("beside it, per token")
                .isNotCloseTo(matrix[shape.index(3, 8)], within(1e-3f));
    }

    /** All that a format does is relative to the size of its input, so that a power of two changes no code. */
    @Test
    void sizeDoesNotMatter() {
        for (BlockCodec codec : ALL) {
            for (HalfShape shape : List.of(new HalfShape(Side.KEYS, 48, 20), new HalfShape(Side.VALUES, 48, 20))) {
                float[] matrix = normal(shape);
                float[] decoded = roundTrip(codec, shape, matrix);
                for (int exponent : new int[] {-70, -30, 30, 100, 124}) {
                    float factor = (float) Math.pow(2, exponent);
                    float[] sized = matrix.clone();
                    for (int i = 0; i < sized.length; i++) {
                        sized[i] *= factor;
                    }
                    float[] after = roundTrip(codec, shape, sized);
                    for (int i = 0; i < sized.length; i++) {
                        assertThat(after[i])
                                .as("2^%s, %s", exponent, as(codec, shape))
                                .isEqualTo(decoded[i] * factor);
                    }
                }
            }
        }
    }

    @Test
    void extremesStayFinite() {
        float[] extremes = {0f, -0f, Float.MIN_VALUE, 1e-40f, 1e-38f, 1e-30f, 1f, 1e30f, 3e38f, Float.MAX_VALUE};
        for (BlockCodec codec : ALL) {
            for (HalfShape shape : shapes()) {
                float[] matrix = new float[shape.elements()];
                int kinds = 1 + random.nextInt(3);
                int first = random.nextInt(extremes.length);
                for (int i = 0; i < matrix.length; i++) {
                    float extreme = extremes[(first + random.nextInt(kinds)) % extremes.length];
                    matrix[i] = random.nextBoolean() ? extreme : -extreme;
                }
                float[] decoded = roundTrip(codec, shape, matrix);
                float largest = 0f;
                for (float x : matrix) {
                    largest = Math.max(largest, Math.abs(x));
                }
                for (int i = 0; i < decoded.length; i++) {
                    // Nothing turns into something much larger than the largest there was.
                    if (!(Math.abs((double) decoded[i]) <= Math.min(3.0 * Math.max(largest, 1e-37), Float.MAX_VALUE))) {
                        fail("%s became %s, largest %s, %s"
                                .formatted(matrix[i], decoded[i], largest, as(codec, shape)));
                    }
                }
            }
        }
    }

    @Test
    void hugeElementsAreStillTold() {
        HalfShape shape = new HalfShape(Side.VALUES, 16, 64);
        float[] matrix = new float[shape.elements()];
        for (int i = 0; i < matrix.length; i++) {
            matrix[i] = (float) (6e38 * (random.nextDouble() - 0.5));
        }
        for (BlockCodec codec : ALL) {
            float[] decoded = roundTrip(codec, shape, matrix);
            for (int i = 0; i < matrix.length; i++) {
                assertThat(Math.abs((double) decoded[i] - matrix[i]))
                        .as("%s became %s, %s", matrix[i], decoded[i], as(codec, shape))
                        .isLessThan(codec.codes().bits() == 2 ? 2e38 : 0.8e38);
            }
        }
    }

    private static double norm(float[] matrix) {
        double sum = 0;
        for (float x : matrix) {
            sum += (double) x * x;
        }
        return Math.sqrt(sum);
    }

    @Test
    void nothingStaysNothing() {
        for (BlockCodec codec : ALL) {
            for (HalfShape shape : shapes()) {
                assertThat(norm(roundTrip(codec, shape, new float[shape.elements()])))
                        .as(as(codec, shape))
                        .isZero();
                // One block of zeros among others that are not.
                float[] matrix = normal(shape);
                for (int i = 0; i < shape.width(); i++) {
                    matrix[shape.index(0, i)] = 0f;
                }
                if (!codec.name().startsWith("kivi") || shape.side() == Side.VALUES) {
                    float[] decoded = roundTrip(codec, shape, matrix);
                    for (int i = 0; i < shape.width(); i++) {
                        assertThat(Math.abs(decoded[shape.index(0, i)]))
                                .as(as(codec, shape))
                                .isEqualTo(0f);
                    }
                }
            }
        }
    }

    @Test
    void sizes() {
        Map<String, Double> most = Map.of(
                "fp8-e4m3",
                0.51,
                "int8",
                0.54,
                "int4",
                0.30,
                "int4a",
                0.32,
                "nvfp4",
                0.30,
                "mxfp4",
                0.27,
                "kivi4",
                0.32,
                "kivi2",
                0.20,
                "turbo3",
                0.21,
                "turbo2",
                0.15);
        most.forEach((name, share) -> {
            for (int width : new int[] {64, 128}) {
                for (Side side : Side.values()) {
                    HalfShape shape = new HalfShape(side, 64, width);
                    assertThat(Codecs.named(name).bytes(shape) / (double) Codecs.BF16.bytes(shape))
                            .as(name)
                            .isLessThanOrEqualTo(share);
                }
            }
        });
    }
}
