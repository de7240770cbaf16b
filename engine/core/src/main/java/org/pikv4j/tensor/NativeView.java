package org.pikv4j.tensor;

import java.lang.foreign.MemorySegment;

/**
 * The bytes of a mapped file as a segment of the same class as allocated memory.
 *
 * <p>The JDK has a class of segments for either. A program that uses both, and the cache's slabs are allocated, teaches the
 * compiler that any access may meet either class; it then asks anew at each, which costs the vector loops over weights a
 * third of their speed. A view through a buffer of shorts is of the plain class, on the same bytes and with the same
 * lifetime.
 */
public final class NativeView {
    private NativeView() {}

    /**
     * @param data any segment
     * @return the same bytes; the segment itself where there is no such view
     */
    public static MemorySegment of(MemorySegment data) {
        long bytes = data.byteSize();
        if (!data.isMapped() || bytes == 0 || bytes % Short.BYTES != 0 || bytes > Integer.MAX_VALUE) {
            return data;
        }
        MemorySegment view = MemorySegment.ofBuffer(data.asByteBuffer().asShortBuffer());
        return view.address() == data.address() && view.byteSize() == bytes ? view : data;
    }
}
