package org.pikv4j.cpu;

import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.pikv4j.tensor.DType;

/**
 * How a run of 2·lanes stored elements becomes two float vectors, {@link #first} and {@link #second}. Types of 16 bits are
 * split as ints, by shift and mask, even elements first, odd ones second, since narrow vectors cast to wider ones cost four
 * times as much; {@link #interleaved} says in which order the two vectors hold the run.
 *
 * <p>Implementations are records: the compiler trusts their fields, so that a constant one leaves no trace.
 */
sealed interface PairLoad {

    /**
     * @return the float vectors' species
     */
    VectorSpecies<Float> floats();

    /**
     * @return the element type that is read
     */
    DType dtype();

    /**
     * @return whether {@link #first} holds the even elements and {@link #second} the odd ones, rather than halves
     */
    boolean interleaved();

    /**
     * @param data the bytes
     * @param offset where the run starts, in bytes
     * @return the first vector's worth of bytes, as stored
     */
    default FloatVector load(MemorySegment data, long offset) {
        return FloatVector.fromMemorySegment(floats(), data, offset, ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * @param stored what {@link #load} gave
     * @return lanes elements, widened
     */
    FloatVector first(FloatVector stored);

    /**
     * @param stored what {@link #load} gave
     * @param data the bytes
     * @param offset where the run starts, in bytes
     * @return the other lanes elements
     */
    FloatVector second(FloatVector stored, MemorySegment data, long offset);

    static PairLoad of(DType dtype, VectorSpecies<Float> floats) {
        return switch (dtype) {
            case F32 -> new F32(floats);
            case BF16 -> new Bf16(floats);
            case F16 -> new F16(floats);
        };
    }

    record F32(VectorSpecies<Float> floats) implements PairLoad {
        @Override
        public DType dtype() {
            return DType.F32;
        }

        @Override
        public boolean interleaved() {
            return false;
        }

        @Override
        public FloatVector first(FloatVector stored) {
            return stored;
        }

        @Override
        public FloatVector second(FloatVector stored, MemorySegment data, long offset) {
            return FloatVector.fromMemorySegment(
                    floats, data, offset + floats.vectorByteSize(), ByteOrder.LITTLE_ENDIAN);
        }
    }

    record Bf16(VectorSpecies<Float> floats) implements PairLoad {
        @Override
        public DType dtype() {
            return DType.BF16;
        }

        @Override
        public boolean interleaved() {
            return true;
        }

        @Override
        public FloatVector first(FloatVector stored) {
            return stored.reinterpretAsInts().lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
        }

        @Override
        public FloatVector second(FloatVector stored, MemorySegment data, long offset) {
            return stored.reinterpretAsInts().and(0xffff0000).reinterpretAsFloats();
        }
    }

    /** The exponent is re-biased by a product with 2^112, which is exact and right for subnormal numbers too. */
    record F16(VectorSpecies<Float> floats) implements PairLoad {
        private static final float REBIAS = 0x1p112f;
        /** Twice the largest power that a half holds. */
        private static final float BEYOND = 0x1p16f;

        @Override
        public DType dtype() {
            return DType.F16;
        }

        @Override
        public boolean interleaved() {
            return true;
        }

        @Override
        public FloatVector first(FloatVector stored) {
            return widen(stored.reinterpretAsInts().lanewise(VectorOperators.LSHL, 16));
        }

        @Override
        public FloatVector second(FloatVector stored, MemorySegment data, long offset) {
            return widen(stored.reinterpretAsInts().and(0xffff0000));
        }

        /** From a half in the upper 16 bits of each lane; the largest exponent stands for infinities and NaN. */
        private static FloatVector widen(IntVector high) {
            IntVector magnitude = high.and(0x7fff0000).lanewise(VectorOperators.LSHR, 3);
            FloatVector value = magnitude.reinterpretAsFloats().mul(REBIAS);
            IntVector endless = value.reinterpretAsInts().or(0x7f800000);
            value = value.blend(endless.reinterpretAsFloats(), value.compare(VectorOperators.GE, BEYOND));
            return value.reinterpretAsInts().or(high.and(0x80000000)).reinterpretAsFloats();
        }
    }
}
