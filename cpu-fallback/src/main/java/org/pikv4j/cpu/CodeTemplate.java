package org.pikv4j.cpu;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.pikv4j.cache.compression.BlockLayout;
import org.pikv4j.cache.compression.CodeFormat;
import org.pikv4j.cache.compression.CodeFormat.Integers;
import org.pikv4j.cache.compression.CodeFormat.MiniFloat;

/**
 * Codes as {@link BlockLayout} packs them. A vector of bytes holds, one above the other, the codes of vectors of columns that
 * are as far apart as a unit has bytes; a pair is two of those, or, where a code takes a byte, two neighbours.
 *
 * <p>A template and not a record, since what is constant here is constant to each method compiled by itself, too: they come
 * out small enough to be inlined.
 */
final class CodeTemplate implements PageLoad<MemorySegment> {

    /**
     * What a copy is made for.
     *
     * @param format what codes stand for
     * @param floats the float vectors' species
     */
    record Use(CodeFormat format, VectorSpecies<Float> floats) {}

    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int FLOAT_MANTISSA_BITS = 23;
    private static final int FLOAT_BIAS = 127;

    private static final Use USE = Specialised.parameter(MethodHandles.lookup(), Use.class);
    private static final CodeFormat FORMAT = USE.format();
    private static final VectorSpecies<Float> FLOATS = USE.floats();
    private static final VectorSpecies<Integer> INTS = VectorSpecies.of(int.class, FLOATS.vectorShape());
    private static final int LANES = FLOATS.length();
    private static final int STEP = 2 * LANES;
    private static final VectorSpecies<Byte> BYTES = LANES == 16 ? ByteVector.SPECIES_128 : ByteVector.SPECIES_64;
    private static final int BITS = FORMAT.bits();
    /** Bits of a code that stand together; the third of three stands elsewhere. */
    private static final int LOW_BITS = BITS == 3 ? 2 : BITS;

    private static final int PER_BYTE = Byte.SIZE / LOW_BITS;
    private static final boolean BYTE_CODES = BITS == Byte.SIZE;
    private static final int UNIT_BYTES = BlockLayout.unitBytes(BlockLayout.UNIT, BITS);
    /** Where the third bits of a unit start. */
    private static final int THIRD_BITS_AT = BlockLayout.unitBytes(BlockLayout.UNIT, 2);

    private static final boolean WHOLE = FORMAT instanceof Integers;
    private static final int ZERO = FORMAT instanceof Integers whole ? whole.zero() : 0;
    /** Whether codes are Java bytes. */
    private static final boolean SIGNED = BYTE_CODES && FORMAT instanceof Integers whole && whole.lowest() < 0;

    private static final VectorOperators.Conversion<Byte, Integer> TO_INT =
            SIGNED ? VectorOperators.B2I : VectorOperators.ZERO_EXTEND_B2I;

    /** From a small float's bits, at the top of a float's mantissa and the bottom of its exponent, to the number. */
    private static final int SMALL_SHIFT =
            FORMAT instanceof MiniFloat small ? FLOAT_MANTISSA_BITS - small.mantissaBits() : 0;

    private static final float REBIAS = FORMAT instanceof MiniFloat small
            ? Float.intBitsToFloat((2 * FLOAT_BIAS - (1 << (small.exponentBits() - 1)) + 1) << FLOAT_MANTISSA_BITS)
            : 0f;

    /** The numbers of codes, where they are looked up, as float bits; as often as they fill a vector. */
    private static final int[] LEVELS = levels();

    private static final int HALF = 1 << (BITS - 1);
    /** Whether the codes are too many for one look-up. */
    private static final boolean MIRRORED = 2 * HALF > LANES;
    /** Whether the mirror image stands in reverse order: numbers in ascending order, not a sign and a magnitude. */
    private static final boolean REVERSED = FORMAT instanceof CodeFormat.LloydMax;

    private static int[] levels() {
        int codes = 1 << Math.min(BITS, 4);
        int[] levels = new int[Math.max(codes, LANES)];
        for (int i = 0; i < levels.length; i++) {
            levels[i] = Float.floatToRawIntBits(FORMAT.value(i % codes));
        }
        return levels;
    }

    @Override
    public VectorSpecies<Float> floats() {
        return FLOATS;
    }

    /** Vectors of bytes in a unit of so many columns. */
    private static int vectors(int unit) {
        return unit / PER_BYTE / LANES;
    }

    /** Columns of the unit that a column is in. */
    private static int unit(int columns, int column) {
        return Math.min(BlockLayout.UNIT, columns - column / BlockLayout.UNIT * BlockLayout.UNIT);
    }

    @Override
    public boolean fits(int columns) {
        int rest = columns % BlockLayout.UNIT;
        if (BITS == 3) {
            return rest == 0 && LANES == BlockLayout.UNIT / PER_BYTE;
        }
        return columns % STEP == 0
                && (columns < BlockLayout.UNIT || BlockLayout.UNIT / PER_BYTE % LANES == 0)
                && rest / PER_BYTE % LANES == 0;
    }

    @Override
    public int grain() {
        return BYTE_CODES ? STEP : BlockLayout.UNIT;
    }

    @Override
    public long stride(int columns) {
        return (long) columns / BlockLayout.UNIT * UNIT_BYTES + BlockLayout.unitBytes(columns % BlockLayout.UNIT, BITS);
    }

    @Override
    public int column(int columns, int pair) {
        int plain = pair * STEP;
        if (BYTE_CODES) {
            return plain;
        }
        int unit = unit(columns, plain);
        int within = plain % BlockLayout.UNIT / STEP;
        int vectors = vectors(unit);
        return plain / BlockLayout.UNIT * BlockLayout.UNIT
                + within / vectors * 2 * (unit / PER_BYTE)
                + within % vectors * LANES;
    }

    @Override
    public int apart(int columns, int pair) {
        return BYTE_CODES ? LANES : unit(columns, pair * STEP) / PER_BYTE;
    }

    @Override
    public long at(int columns, int pair) {
        int plain = pair * STEP;
        if (BYTE_CODES) {
            return plain;
        }
        int within = plain % BlockLayout.UNIT / STEP;
        return (long) plain / BlockLayout.UNIT * UNIT_BYTES + within % vectors(unit(columns, plain)) * LANES;
    }

    @Override
    public int part(int columns, int pair) {
        int plain = pair * STEP;
        return PER_BYTE <= 2 ? 0 : plain % BlockLayout.UNIT / STEP / vectors(unit(columns, plain)) * 2 * LOW_BITS;
    }

    @Override
    public IntVector load(MemorySegment source, long at) {
        return LANES == Integer.BYTES ? fourBytes(source, at) : bytes(source, at);
    }

    @Override
    public IntVector more(IntVector loaded, MemorySegment source, long at) {
        return BYTE_CODES ? load(source, at + LANES) : BITS == 3 ? thirdBits(source, at) : loaded;
    }

    private static IntVector bytes(MemorySegment source, long at) {
        return (IntVector) ByteVector.fromMemorySegment(BYTES, source, at, ByteOrder.LITTLE_ENDIAN)
                .convertShape(TO_INT, INTS, 0);
    }

    /** There is no vector of four bytes. */
    private static IntVector fourBytes(MemorySegment source, long at) {
        IntVector top = IntVector.broadcast(INTS, source.get(INT, at))
                .lanewise(VectorOperators.LSHL, IntVector.broadcast(INTS, 24).sub(places().mul(8)));
        return SIGNED ? top.lanewise(VectorOperators.ASHR, 24) : top.lanewise(VectorOperators.LSHR, 24);
    }

    /** Lane j has the third bits of columns j, j + 8, j + 16 and j + 24 in bits 0, 8, 16 and 24. */
    private static IntVector thirdBits(MemorySegment source, long at) {
        return IntVector.broadcast(INTS, source.get(INT, at + THIRD_BITS_AT)).lanewise(VectorOperators.LSHR, places());
    }

    /** 0, 1, 2, … */
    private static IntVector places() {
        return IntVector.zero(INTS).addIndex(1);
    }

    @Override
    public FloatVector first(IntVector loaded, IntVector more, int part) {
        return number(BYTE_CODES ? loaded : BITS == 4 ? loaded.and(15) : few(loaded, more, part));
    }

    @Override
    public FloatVector second(IntVector loaded, IntVector more, int part) {
        return number(
                BYTE_CODES
                        ? more
                        : BITS == 4 ? loaded.lanewise(VectorOperators.LSHR, 4) : few(loaded, more, part + LOW_BITS));
    }

    /** Codes of two bits or three. */
    private static IntVector few(IntVector loaded, IntVector more, int shift) {
        IntVector two = loaded.lanewise(VectorOperators.LSHR, shift).and(3);
        return BITS == 3 ? two.or(third(more, shift)) : two;
    }

    private static IntVector third(IntVector more, int shift) {
        return more.lanewise(VectorOperators.LSHR, 4 * shift).and(1).lanewise(VectorOperators.LSHL, 2);
    }

    private static FloatVector number(IntVector codes) {
        return WHOLE ? whole(codes) : BYTE_CODES ? small(codes) : looked(codes);
    }

    private static FloatVector whole(IntVector codes) {
        return (FloatVector) (ZERO == 0 ? codes : codes.sub(ZERO)).convert(VectorOperators.I2F, 0);
    }

    /** The exponent is re-biased by a product, which is exact and right for subnormal numbers too. */
    private static FloatVector small(IntVector codes) {
        IntVector magnitude = codes.and(0x7f).lanewise(VectorOperators.LSHL, SMALL_SHIFT);
        IntVector sign = codes.and(0x80).lanewise(VectorOperators.LSHL, 24);
        return magnitude.or(sign).reinterpretAsFloats().mul(REBIAS);
    }

    private static FloatVector looked(IntVector codes) {
        return (MIRRORED ? mirrored(codes) : codes.selectFrom(IntVector.fromArray(INTS, LEVELS, 0)))
                .reinterpretAsFloats();
    }

    /** The upper half of the codes stands for what the lower half does, with the other sign: half the table is enough. */
    private static IntVector mirrored(IntVector codes) {
        IntVector upper =
                codes.lanewise(VectorOperators.LSHL, Integer.SIZE - BITS).lanewise(VectorOperators.ASHR, 31);
        IntVector place = REVERSED ? codes.lanewise(VectorOperators.XOR, upper) : codes;
        return place.and(HALF - 1)
                .selectFrom(IntVector.fromArray(INTS, LEVELS, 0))
                .lanewise(VectorOperators.XOR, upper.and(Integer.MIN_VALUE));
    }
}
