package org.pikv4j.cache.compression;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.pikv4j.TestSeeds;
import org.pikv4j.cache.compression.CodeFormat.Integers;
import org.pikv4j.cache.compression.CodeFormat.LloydMax;
import org.pikv4j.cache.compression.CodeFormat.MiniFloat;

class CodeFormatTest {
    private static final List<CodeFormat> ALL = List.of(
            Integers.SIGNED_8,
            Integers.SIGNED_4,
            Integers.UNSIGNED_4,
            Integers.UNSIGNED_2,
            MiniFloat.E4M3,
            MiniFloat.E5M2,
            MiniFloat.E2M1,
            new LloydMax(2),
            new LloydMax(3),
            new LloydMax(4));

    /** A float8 by its definition: sign, exponent, mantissa. */
    private static double float8(int code, int mantissaBits, int bias) {
        double sign = code >= 128 ? -1 : 1;
        int exponent = (code & 127) >> mantissaBits;
        double fraction = (code & ((1 << mantissaBits) - 1)) / (double) (1 << mantissaBits);
        return sign
                * (exponent == 0 ? fraction * Math.pow(2, 1 - bias) : (1 + fraction) * Math.pow(2, exponent - bias));
    }

    @Test
    void allCodesOfE4M3() {
        for (int code = 0; code < 256; code++) {
            float value = MiniFloat.E4M3.value(code);
            if ((code & 0x7f) == 0x7f) {
                assertThat(value).as("code %#x", code).isNaN();
            } else {
                assertThat((double) value).as("code %#x", code).isEqualTo(float8(code, 3, 7));
                assertThat(MiniFloat.E4M3.code(value)).as("of %s", value).isEqualTo(code);
            }
        }
        assertThat(MiniFloat.E4M3.value(0x7e)).isEqualTo(448f);
        assertThat(MiniFloat.E4M3.value(1)).isEqualTo(0x1p-9f);
    }

    @Test
    void allCodesOfE5M2() {
        for (int code = 0; code < 256; code++) {
            float value = MiniFloat.E5M2.value(code);
            int magnitude = code & 0x7f;
            if (magnitude > 0x7c) {
                assertThat(value).as("code %#x", code).isNaN();
            } else if (magnitude == 0x7c) {
                assertThat(value).isEqualTo(code < 128 ? Float.POSITIVE_INFINITY : Float.NEGATIVE_INFINITY);
            } else {
                // The upper half of a binary16.
                assertThat(value).as("code %#x", code).isEqualTo(Float.float16ToFloat((short) (code << 8)));
                assertThat((double) value).isEqualTo(float8(code, 2, 15));
                assertThat(MiniFloat.E5M2.code(value)).as("of %s", value).isEqualTo(code);
            }
        }
        assertThat(MiniFloat.E5M2.value(0x7b)).isEqualTo(57_344f);
    }

    @Test
    void allCodesOfE2M1AndOfIntegers() {
        assertThat(MiniFloat.E2M1.table())
                .containsExactly(0, .5f, 1, 1.5f, 2, 3, 4, 6, -0f, -.5f, -1, -1.5f, -2, -3, -4, -6);
        assertThat(Integers.SIGNED_4.table()).containsExactly(-8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7);
        assertThat(Integers.UNSIGNED_2.table()).containsExactly(0, 1, 2, 3);
        assertThat(Integers.UNSIGNED_4.value(15)).isEqualTo(15);
        for (int code = 0; code < 256; code++) {
            assertThat(Integers.SIGNED_8.value(code)).isEqualTo((byte) code);
        }
    }

    @Test
    void levelsAreTheMeansOfTheirCells() {
        for (int bits = 2; bits <= 4; bits++) {
            float[] levels = new LloydMax(bits).table();
            for (int i = 0; i < levels.length; i++) {
                double from = i == 0 ? -9 : (levels[i - 1] + levels[i]) / 2;
                double to = i == levels.length - 1 ? 9 : (levels[i] + levels[i + 1]) / 2;
                double mass = 0;
                double moment = 0;
                int steps = 20_000;
                for (int s = 0; s < steps; s++) {
                    double x = from + (to - from) * (s + 0.5) / steps;
                    mass += Math.exp(-x * x / 2);
                    moment += x * Math.exp(-x * x / 2);
                }
                assertThat((double) levels[i])
                        .as("level %s of %s bits", i, bits)
                        .isCloseTo(moment / mass, within(2e-5));
                assertThat(levels[i]).isEqualTo(-levels[levels.length - 1 - i]);
            }
        }
    }

    @Test
    void codesAreTheNearest() {
        long seed = TestSeeds.seed();
        SplittableRandom random = new SplittableRandom(seed);
        for (CodeFormat format : ALL) {
            List<Float> given = new ArrayList<>();
            for (float value : format.table()) {
                if (Math.abs(value) <= format.largest()) {
                    given.add(value);
                }
            }
            for (int i = 0; i < 5_000; i++) {
                float x = (float) (random.nextGaussian() * format.largest() * Math.pow(2, -random.nextInt(20)));
                int code = format.code(x);
                assertThat(code).isBetween(0, (1 << format.bits()) - 1);
                double nearest = given.stream()
                        .mapToDouble(value -> Math.abs((double) value - x))
                        .min()
                        .orElseThrow();
                assertThat(Math.abs((double) format.value(code) - x))
                        .as("%s of %s, %s", x, format, TestSeeds.repeat(seed))
                        // The thresholds between levels are floats themselves.
                        .isLessThanOrEqualTo(nearest * (1 + 1e-6) + 1e-7 * (format instanceof LloydMax ? 1 : 0));
            }
        }
    }

    @Test
    void halvesGoToEvenAndExtremesSaturate() {
        assertThat(Integers.SIGNED_8.code(2.5f)).isEqualTo(2);
        assertThat(Integers.SIGNED_8.code(-3.5f)).isEqualTo(256 - 4);
        assertThat(Integers.SIGNED_4.code(0.5f)).isEqualTo(8);
        float[] halves = {0.25f, 0.75f, 1.25f, 1.75f, 2.5f, 3.5f, 5f};
        float[] even = {0f, 1f, 1f, 2f, 2f, 4f, 4f};
        for (int i = 0; i < halves.length; i++) {
            assertThat(MiniFloat.E2M1.value(MiniFloat.E2M1.code(halves[i]))).isEqualTo(even[i]);
        }
        assertThat(MiniFloat.E4M3.value(MiniFloat.E4M3.code(0x1p-10f))).isEqualTo(0f);
        assertThat(MiniFloat.E4M3.value(MiniFloat.E4M3.code(0x3p-10f))).isEqualTo(0x1p-8f);
        assertThat(MiniFloat.E4M3.value(MiniFloat.E4M3.code(17f))).isEqualTo(16f);
        assertThat(MiniFloat.E4M3.value(MiniFloat.E4M3.code(19f))).isEqualTo(20f);
        for (CodeFormat format : ALL) {
            for (float huge : new float[] {1e6f, Float.MAX_VALUE, Float.POSITIVE_INFINITY}) {
                assertThat(format.value(format.code(huge))).isEqualTo(format.largest());
                assertThat(format.value(format.code(-huge)))
                        .isEqualTo(
                                format.value(format.code(0f)) == 0f && format.code(-1f) == format.code(0f)
                                        ? 0f
                                        : -format.largest());
            }
        }
    }
}
