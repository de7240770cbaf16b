package org.pikv4j.cpu;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;
import org.pikv4j.cache.compression.CodeFormat;
import org.pikv4j.tensor.DType;

/**
 * How a row of a matrix is read: in pairs of float vectors, {@link #first} and {@link #second}, made from what {@link #load}
 * and {@link #more} read. The two need not be neighbours: bits that are unpacked together lie some columns apart.
 *
 * <p>Where pairs are is asked once for all rows, so that only the four methods named above are in the inner loop.
 * What is in the inner loop must be inlined to the last call, or vectors are boxed. Implementations are therefore records,
 * whose fields the compiler trusts, or templates ({@link Specialised}), and their methods stay small: one that was compiled
 * by itself to more than 2,500 bytes is never inlined.
 *
 * @param <S> what holds the matrix
 */
interface PageLoad<S> {

    /**
     * @return the float vectors' species
     */
    VectorSpecies<Float> floats();

    /**
     * @param columns length of a row
     * @return whether rows of that length can be read
     */
    boolean fits(int columns);

    /**
     * @return columns, a multiple of which pairs cover together; a short rest of a row is covered by itself
     */
    int grain();

    /**
     * @param columns length of a row
     * @return distance between rows, in the units of {@link #at}
     */
    long stride(int columns);

    /**
     * @param columns length of a row
     * @param pair index of a pair in the row
     * @return column of the pair's first lane
     */
    default int column(int columns, int pair) {
        return pair * 2 * floats().length();
    }

    /**
     * @param columns length of a row
     * @param pair index of a pair in the row
     * @return columns from the first vector to the second
     */
    default int apart(int columns, int pair) {
        return floats().length();
    }

    /**
     * @param columns length of a row
     * @param pair index of a pair in the row
     * @return where the row has it: a byte offset, or an index
     */
    long at(int columns, int pair);

    /**
     * @param columns length of a row
     * @param pair index of a pair in the row
     * @return what tells pairs apart that are read from the same place
     */
    default int part(int columns, int pair) {
        return 0;
    }

    /**
     * @return whether {@link #first} holds the even columns and {@link #second} the odd ones, rather than neighbours
     */
    default boolean interleaved() {
        return false;
    }

    /**
     * @param source the matrix
     * @param at where a pair starts
     * @return the first half, or all, of what it is made of
     */
    IntVector load(S source, long at);

    /**
     * @param loaded what {@link #load} gave
     * @param source the matrix
     * @param at where the pair starts
     * @return the other half; anything where there is none
     */
    IntVector more(IntVector loaded, S source, long at);

    /**
     * @param loaded what {@link #load} gave
     * @param more what {@link #more} gave
     * @param part what {@link #part} gave
     * @return the first vector
     */
    FloatVector first(IntVector loaded, IntVector more, int part);

    /**
     * @param loaded what {@link #load} gave
     * @param more what {@link #more} gave
     * @param part what {@link #part} gave
     * @return the second vector
     */
    FloatVector second(IntVector loaded, IntVector more, int part);

    /**
     * Elements of a float type, as they are.
     *
     * @param pairs reads them
     */
    record Exact(PairLoad pairs) implements PageLoad<MemorySegment> {

        @Override
        public VectorSpecies<Float> floats() {
            return pairs.floats();
        }

        @Override
        public boolean fits(int columns) {
            return columns % grain() == 0;
        }

        @Override
        public int grain() {
            return 2 * floats().length();
        }

        @Override
        public long stride(int columns) {
            return (long) columns * pairs.dtype().bytes();
        }

        @Override
        public long at(int columns, int pair) {
            return (long) column(columns, pair) * pairs.dtype().bytes();
        }

        @Override
        public boolean interleaved() {
            return pairs.interleaved();
        }

        @Override
        public IntVector load(MemorySegment source, long at) {
            return pairs.load(source, at).reinterpretAsInts();
        }

        @Override
        public IntVector more(IntVector loaded, MemorySegment source, long at) {
            return pairs.second(loaded.reinterpretAsFloats(), source, at).reinterpretAsInts();
        }

        @Override
        public FloatVector first(IntVector loaded, IntVector more, int part) {
            return pairs.first(loaded.reinterpretAsFloats());
        }

        @Override
        public FloatVector second(IntVector loaded, IntVector more, int part) {
            return more.reinterpretAsFloats();
        }
    }

    /**
     * Floats in an array.
     *
     * @param floats the float vectors' species
     */
    record Floats(VectorSpecies<Float> floats) implements PageLoad<float[]> {

        @Override
        public boolean fits(int columns) {
            return columns % grain() == 0;
        }

        @Override
        public int grain() {
            return 2 * floats.length();
        }

        @Override
        public long stride(int columns) {
            return columns;
        }

        @Override
        public long at(int columns, int pair) {
            return column(columns, pair);
        }

        @Override
        public IntVector load(float[] source, long at) {
            return FloatVector.fromArray(floats, source, (int) at).reinterpretAsInts();
        }

        @Override
        public IntVector more(IntVector loaded, float[] source, long at) {
            return FloatVector.fromArray(floats, source, (int) at + floats.length())
                    .reinterpretAsInts();
        }

        @Override
        public FloatVector first(IntVector loaded, IntVector more, int part) {
            return loaded.reinterpretAsFloats();
        }

        @Override
        public FloatVector second(IntVector loaded, IntVector more, int part) {
            return more.reinterpretAsFloats();
        }
    }

    /**
     * @param dtype the type of elements
     * @param floats the float vectors' species
     * @return how to read them
     */
    static PageLoad<MemorySegment> of(DType dtype, VectorSpecies<Float> floats) {
        return new Exact(PairLoad.of(dtype, floats));
    }

    /**
     * @param format what codes stand for
     * @param floats the float vectors' species
     * @return how to read them; empty if there are too few lanes to look them up
     */
    @SuppressWarnings("unchecked") // that is what the template implements
    static Optional<PageLoad<MemorySegment>> of(CodeFormat format, VectorSpecies<Float> floats) {
        boolean looked = !(format instanceof CodeFormat.Integers) && format.bits() < Byte.SIZE;
        return looked && 1 << format.bits() > 2 * floats.length()
                ? Optional.empty()
                : Optional.of(Specialised.of(CodeTemplate.class, PageLoad.class, new CodeTemplate.Use(format, floats)));
    }
}
