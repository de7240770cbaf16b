package org.pikv4j.loader.safetensors;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.pikv4j.tensor.DType;

/** The element types that the format knows, spelled as its headers spell them; the engine computes with some. */
public enum ElementType {
    BOOL(8),
    U8(8),
    I8(8),
    U16(16),
    I16(16),
    U32(32),
    I32(32),
    U64(64),
    I64(64),
    F4(4),
    F6_E2M3(6),
    F6_E3M2(6),
    F8_E4M3(8),
    F8_E5M2(8),
    F8_E8M0(8),
    F8_E4M3FNUZ(8),
    F8_E5M2FNUZ(8),
    F16(16),
    BF16(16),
    F32(32),
    F64(64),
    C64(64);

    private static final Map<String, ElementType> BY_NAME =
            Arrays.stream(values()).collect(Collectors.toUnmodifiableMap(Enum::name, Function.identity()));

    private final int bits;

    ElementType(int bits) {
        this.bits = bits;
    }

    /**
     * @param name a type as a header spells it
     * @return the type, if the format knows it
     */
    public static Optional<ElementType> of(String name) {
        return Optional.ofNullable(BY_NAME.get(name));
    }

    /**
     * @param type a type of the engine
     * @return the same type here
     */
    public static ElementType of(DType type) {
        return switch (type) {
            case F32 -> F32;
            case BF16 -> BF16;
            case F16 -> F16;
        };
    }

    /**
     * @return the size of one element in bits
     */
    public int bits() {
        return bits;
    }

    /**
     * @return the engine's type, if it computes with this one
     */
    public Optional<DType> dtype() {
        return switch (this) {
            case F32 -> Optional.of(DType.F32);
            case BF16 -> Optional.of(DType.BF16);
            case F16 -> Optional.of(DType.F16);
            default -> Optional.empty();
        };
    }

    /**
     * @param elements a number of elements
     * @return their size in bytes
     * @throws ArithmeticException if it is no whole number of bytes, or above 2^63 - 1
     */
    long bytes(long elements) {
        long size = Math.multiplyExact(elements, (long) bits);
        if (size % Byte.SIZE != 0) {
            throw new ArithmeticException("half a byte");
        }
        return size / Byte.SIZE;
    }
}
