package org.pikv4j.cache.compression;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.pikv4j.cache.compression.CodeFormat.MiniFloat;
import org.pikv4j.tensor.DType;

/**
 * How the scale of a block is chosen, and how it is stored. A number is its code's value times the scale, plus the block's
 * minimum where there is one.
 *
 * <p>Blocks whose extent is below {@value #SMALLEST} have the scale 0 (E8M0: its smallest): they are taken for nothing, or for
 * their minimum. So no scale or its inverse leaves the range of normal floats, which GPUs flush to zero.
 */
public enum ScaleFormat {
    /** The largest magnitude of the block becomes the largest number. */
    ABSMAX_BF16(Store.BF16) {
        @Override
        double choose(Block block, CodeFormat codes) {
            return absmax(block, codes);
        }
    },
    /**
     * Likewise, exact, or up to an octave more. A float's error is a matter of where its mantissa falls, and channels that
     * hardly change from token to token all fall alike: their errors do not cancel out, but there is a scale for which they are
     * small.
     */
    ABSMAX_F32(Store.F32, 6, Math.pow(2, 1.0 / 6)) {
        @Override
        double choose(Block block, CodeFormat codes) {
            return absmax(block, codes);
        }
    },
    /** From the minimum to the maximum, for codes that start at 0 (KIVI, arXiv 2402.02750, §3.1). */
    RANGE_BF16(Store.BF16) {
        @Override
        double choose(Block block, CodeFormat codes) {
            return ratio((double) block.high - block.low, codes.largest());
        }
    },
    /**
     * Scales of two levels, those of the blocks in E4M3 and one float for the half page (NVIDIA, "Pretraining Large Language
     * Models with NVFP4", arXiv 2509.25149, §2). Where it codes a block better, its largest magnitude becomes 4 and not 6: E2M1
     * has nothing between (Cook et al., "Four Over Six", arXiv 2512.02010).
     */
    ABSMAX_E4M3(Store.E4M3, 2, 1.5) {
        @Override
        double choose(Block block, CodeFormat codes) {
            return absmax(block, codes);
        }
    },
    /**
     * The power of two that brings the largest magnitude to the codes' last octave (OCP Microscaling Formats, §6.3), which may
     * cut off up to a quarter of it, or the next one.
     */
    POWER_OF_TWO(Store.E8M0, 2, 2) {
        @Override
        double choose(Block block, CodeFormat codes) {
            return Math.scalb(1.0, Math.getExponent(block.absmax()) - Math.getExponent(codes.largest()));
        }
    },
    /**
     * The root of the mean square, then corrected so that the block as decoded has the norm that it had (TurboQuant, arXiv
     * 2504.19874, §3.1).
     */
    NORM_BF16(Store.BF16) {
        @Override
        double choose(Block block, CodeFormat codes) {
            // What a few bits make of a block can be larger than the block: it must still be a finite float.
            double scale = Math.sqrt(block.meanSquare());
            return ratio(Math.min(scale * codes.largest(), LARGEST), codes.largest());
        }
    };

    /** Blocks with no more between their extremes than this are constant. */
    static final float SMALLEST = 0x1p-100f;

    /** Larger magnitudes are taken for this one: a scale may be rounded up, and what it scales must stay finite. */
    static final float LARGEST = 0x1.fcp127f;

    private final Store store;
    private final int trials;
    private final double step;

    ScaleFormat(Store store) {
        this(store, 1, 1);
    }

    /**
     * @param trials how many scales are tried for each block; the one that codes it best is kept
     * @param step each is so many times the one before
     */
    ScaleFormat(Store store, int trials, double step) {
        this.store = store;
        this.trials = trials;
        this.step = step;
    }

    /**
     * @return bytes of a scale, and of a minimum; those of 2 bytes are bfloat16, those of 4 float32
     */
    public int bytes() {
        return store.bytes;
    }

    /**
     * @return whether blocks have a minimum
     */
    public boolean affine() {
        return this == RANGE_BF16;
    }

    /**
     * @return whether scales are multiples of one float of the half page
     */
    public boolean global() {
        return this == ABSMAX_E4M3;
    }

    /**
     * @return how many scales are tried for each block
     */
    int trials() {
        return trials;
    }

    /**
     * @param chosen a scale of {@link #choose}
     * @param codes its codes
     * @param trial the number of a trial, from 0
     * @return the scale to try
     */
    double tried(double chosen, CodeFormat codes, int trial) {
        return Math.min(chosen * Math.pow(step, trial), LARGEST / codes.largest());
    }

    /**
     * @return whether a scale is corrected once its block is coded
     */
    boolean keepsNorm() {
        return this == NORM_BF16;
    }

    /**
     * @param block a block; its minimum, where there are minima, is the one that is stored
     * @param codes its codes
     * @return the scale it should have
     */
    abstract double choose(Block block, CodeFormat codes);

    /**
     * @param half the whole half page
     * @param codes its codes
     * @return the float that its scales are multiples of
     */
    static float globalScale(Block half, CodeFormat codes) {
        return (float) ratio(half.absmax(), (double) codes.largest() * MiniFloat.E4M3.largest());
    }

    /** Stores a scale, a multiple of the float of the half page, rounded to what there is. */
    void write(MemorySegment data, long byteOffset, double scale, float global) {
        store.write(data, byteOffset, global == 0f ? 0f : (float) (scale / global));
    }

    /**
     * @return the scale that is read where this one is written
     */
    double rounded(double scale, float global) {
        float[] rounded = new float[1];
        MemorySegment stored = MemorySegment.ofArray(new byte[bytes()]);
        write(stored, 0, scale, global);
        read(stored, 0, rounded, 1);
        return (double) rounded[0] * global;
    }

    /** Reads scales, or minima, as multiples of the float of the half page. */
    void read(MemorySegment data, long byteOffset, float[] out, int count) {
        store.read(data, byteOffset, out, count);
    }

    /**
     * @param number finite
     * @return the nearest bfloat16 that is not above it: no number of a block is then below its minimum
     */
    static float minimum(float number) {
        float towardsZero = Float.intBitsToFloat(Float.floatToRawIntBits(number) & 0xffff_0000);
        return towardsZero > number
                ? Float.intBitsToFloat(Float.floatToRawIntBits(towardsZero) + 0x1_0000)
                : towardsZero;
    }

    private static double absmax(Block block, CodeFormat codes) {
        return ratio(block.absmax(), codes.largest());
    }

    private static double ratio(double extent, double steps) {
        return extent < SMALLEST ? 0 : extent / steps;
    }

    /** What a scale is chosen by. */
    static final class Block {
        float low = Float.POSITIVE_INFINITY;
        float high = Float.NEGATIVE_INFINITY;
        private double squares;
        private int count;

        /** Adds neighbouring elements of a matrix. */
        void add(float[] matrix, int from, int to) {
            float least = low;
            float most = high;
            double sum = 0;
            for (int i = from; i < to; i++) {
                float x = matrix[i];
                // Seldom taken, and so cheaper than Math.min, which looks after NaN and signs of zero.
                if (x < least) {
                    least = x;
                }
                if (x > most) {
                    most = x;
                }
                sum += (double) x * x;
            }
            low = Math.max(least, -LARGEST);
            high = Math.min(most, LARGEST);
            squares += sum;
            count += to - from;
        }

        float absmax() {
            return Math.max(Math.abs(low), Math.abs(high));
        }

        double meanSquare() {
            return squares / count;
        }
    }

    /** The number formats of scales. */
    private enum Store {
        BF16(2) {
            @Override
            void read(MemorySegment data, long byteOffset, float[] out, int count) {
                for (int i = 0; i < count; i++) {
                    out[i] = Float.intBitsToFloat(data.get(SHORT, byteOffset + 2L * i) << 16);
                }
            }

            @Override
            void write(MemorySegment data, long byteOffset, float scale) {
                DType.BF16.write(data, byteOffset, scale);
            }
        },
        F32(4) {
            @Override
            void read(MemorySegment data, long byteOffset, float[] out, int count) {
                DType.F32.read(data, byteOffset, out, 0, count);
            }

            @Override
            void write(MemorySegment data, long byteOffset, float scale) {
                DType.F32.write(data, byteOffset, scale);
            }
        },
        E4M3(1) {
            @Override
            void read(MemorySegment data, long byteOffset, float[] out, int count) {
                for (int i = 0; i < count; i++) {
                    out[i] = E4M3_TABLE[data.get(ValueLayout.JAVA_BYTE, byteOffset + i) & 0xff];
                }
            }

            @Override
            void write(MemorySegment data, long byteOffset, float scale) {
                data.set(ValueLayout.JAVA_BYTE, byteOffset, (byte) MiniFloat.E4M3.code(scale));
            }
        },
        /** An exponent, biased by 127: powers of two from 2^−127 to 2^127. */
        E8M0(1) {
            @Override
            void read(MemorySegment data, long byteOffset, float[] out, int count) {
                for (int i = 0; i < count; i++) {
                    int code = data.get(ValueLayout.JAVA_BYTE, byteOffset + i) & 0xff;
                    // 2^−127 is the one subnormal float among them.
                    out[i] = Float.intBitsToFloat(code == 0 ? 1 << 22 : code << 23);
                }
            }

            @Override
            void write(MemorySegment data, long byteOffset, float scale) {
                data.set(ValueLayout.JAVA_BYTE, byteOffset, (byte) (Math.getExponent(scale) + 127));
            }
        };

        private static final ValueLayout.OfShort SHORT =
                ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

        private static final float[] E4M3_TABLE = MiniFloat.E4M3.table();

        private final int bytes;

        Store(int bytes) {
            this.bytes = bytes;
        }

        abstract void read(MemorySegment data, long byteOffset, float[] out, int count);

        abstract void write(MemorySegment data, long byteOffset, float scale);
    }
}
