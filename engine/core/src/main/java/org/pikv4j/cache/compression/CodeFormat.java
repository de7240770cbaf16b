package org.pikv4j.cache.compression;

/** How a code of a few bits stands for a number, before a block's scale is applied. */
public sealed interface CodeFormat {

    /**
     * @return bits of a code, at most 8
     */
    int bits();

    /**
     * @return the largest magnitude that {@link #code} gives
     */
    float largest();

    /**
     * @param code a code, unsigned
     * @return the number it stands for; NaN or infinite for the codes that stand for none, which {@link #code} never gives
     */
    float value(int code);

    /**
     * @param number any number but NaN
     * @return the code of the nearest number there is, unsigned
     */
    int code(float number);

    /**
     * @return the number of every code, in a new array of 2^bits
     */
    default float[] table() {
        float[] table = new float[1 << bits()];
        for (int code = 0; code < table.length; code++) {
            table[code] = value(code);
        }
        return table;
    }

    /**
     * Whole numbers, rounded half to even: the code of n is the low bits of n + zero.
     *
     * @param bits bits of a code
     * @param lowest the lowest number given
     * @param highest the highest
     * @param zero the code of zero
     */
    record Integers(int bits, int lowest, int highest, int zero) implements CodeFormat {

        /** −127 to 127 in two's complement: a code is a Java byte. */
        public static final Integers SIGNED_8 = new Integers(8, -127, 127, 0);

        /** −7 to 7, kept as 1 to 15: a code needs no sign to be extended. */
        public static final Integers SIGNED_4 = new Integers(4, -7, 7, 8);

        /** 0 to 15, for scales with a minimum. */
        public static final Integers UNSIGNED_4 = new Integers(4, 0, 15, 0);

        /** 0 to 3, for scales with a minimum. */
        public static final Integers UNSIGNED_2 = new Integers(2, 0, 3, 0);

        @Override
        public float largest() {
            return highest;
        }

        @Override
        public float value(int code) {
            int number = code - zero;
            return number > highest ? number - (1 << bits) : number;
        }

        @Override
        public int code(float number) {
            float clamped = Math.min(Math.max(number, lowest), highest);
            return ((int) Math.rint(clamped) + zero) & ((1 << bits) - 1);
        }
    }

    /**
     * Floats of at most 8 bits, sign first, the exponent's bias 2^(exponentBits − 1) − 1, with subnormal numbers; rounded half
     * to even, what is too large to the largest (OCP 8-bit Floating Point Specification, §5; OCP Microscaling Formats, §5.3).
     *
     * @param exponentBits bits of the exponent
     * @param mantissaBits bits of the mantissa
     * @param largest the largest finite number; codes beyond it are infinite where the mantissa is 0, else NaN
     */
    record MiniFloat(int exponentBits, int mantissaBits, float largest) implements CodeFormat {

        /** FP8 E4M3, without infinities. */
        public static final MiniFloat E4M3 = new MiniFloat(4, 3, 448f);

        /** FP8 E5M2. */
        public static final MiniFloat E5M2 = new MiniFloat(5, 2, 57_344f);

        /** FP4 E2M1: 0, 0.5, 1, 1.5, 2, 3, 4, 6 and their negatives. */
        public static final MiniFloat E2M1 = new MiniFloat(2, 1, 6f);

        private static final int FLOAT_BIAS = 127;
        private static final int FLOAT_MANTISSA_BITS = 23;

        @Override
        public int bits() {
            return 1 + exponentBits + mantissaBits;
        }

        /** The exponent of the subnormal numbers and of the smallest normal ones. */
        private int lowestExponent() {
            return 2 - (1 << (exponentBits - 1));
        }

        @Override
        public float value(int code) {
            int exponent = code >>> mantissaBits & (1 << exponentBits) - 1;
            int mantissa = code & (1 << mantissaBits) - 1;
            float magnitude = exponent == 0
                    ? Math.scalb((float) mantissa, lowestExponent() - mantissaBits)
                    : Math.scalb(
                            (float) (mantissa + (1 << mantissaBits)), exponent - 1 + lowestExponent() - mantissaBits);
            if (magnitude > largest) {
                magnitude = mantissa == 0 ? Float.POSITIVE_INFINITY : Float.NaN;
            }
            return code >>> exponentBits + mantissaBits == 0 ? magnitude : -magnitude;
        }

        @Override
        public int code(float number) {
            float magnitude = Math.min(Math.abs(number), largest);
            int step = Math.max(Math.getExponent(magnitude) - lowestExponent(), 0);
            // 1 / 2^(exponent − mantissaBits): how many of the steps between neighbours make up the magnitude.
            int stepsExponent = mantissaBits - lowestExponent() - step;
            int steps = (int)
                    Math.rint(magnitude * Float.intBitsToFloat(stepsExponent + FLOAT_BIAS << FLOAT_MANTISSA_BITS));
            // The leading one of a normal number counts as one exponent, and so does a mantissa that was rounded up to
            // two.
            int sign = Float.floatToRawIntBits(number) >>> 31 << exponentBits + mantissaBits;
            return sign | (step << mantissaBits) + steps;
        }
    }

    /**
     * The levels that lose least of a normal variable of variance 1, in ascending order (Lloyd 1982, Max 1960; TurboQuant, arXiv
     * 2504.19874, §3.1). Each is the mean of its cell, and cells meet half-way between levels.
     *
     * @param bits bits of a code: 2, 3 or 4
     */
    record LloydMax(int bits) implements CodeFormat {
        /** The positive half of the levels of 2, 3 and 4 bits; the other half is its mirror image. */
        private static final float[][] POSITIVE = {
            {0.452780f, 1.510418f},
            {0.245094f, 0.756005f, 1.343909f, 2.151946f},
            {0.128395f, 0.388048f, 0.656759f, 0.942340f, 1.256231f, 1.618046f, 2.069017f, 2.732590f}
        };

        private static final float[][] THRESHOLDS = {thresholds(2), thresholds(3), thresholds(4)};

        public LloydMax {
            if (bits < 2 || bits > 4) {
                throw new IllegalArgumentException("levels of " + bits + " bits");
            }
        }

        private static float[] thresholds(int bits) {
            float[] levels = new LloydMax(bits).table();
            float[] thresholds = new float[levels.length - 1];
            for (int i = 0; i < thresholds.length; i++) {
                thresholds[i] = (levels[i] + levels[i + 1]) / 2;
            }
            return thresholds;
        }

        @Override
        public float largest() {
            return value((1 << bits) - 1);
        }

        @Override
        public float value(int code) {
            float[] positive = POSITIVE[bits - 2];
            int i = code - positive.length;
            return i >= 0 ? positive[i] : -positive[-1 - i];
        }

        @Override
        public int code(float number) {
            float[] thresholds = THRESHOLDS[bits - 2];
            int code = 0;
            for (int half = 1 << bits - 1; half > 0; half >>= 1) {
                // The sign bit in place of a comparison: which way the search goes is a coin toss that no CPU predicts.
                code += half * (Float.floatToRawIntBits(thresholds[code + half - 1] - number) >>> 31);
            }
            return code;
        }
    }
}
