package org.pikv4j.cache.storage;

import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.pikv4j.cache.compression.HalfForm;
import org.pikv4j.cache.compression.HalfShape;
import org.pikv4j.cache.compression.RowCodec;

/**
 * A run of consecutive tokens of one layer and one KV head, in a slab. Sequences that share a prefix share its pages; a
 * page is written only while one table holds it. Made, retained and released by {@link PagePool} alone.
 *
 * <p>A page that shall be compressed has room for its sealed form beside it from the start, so that sealing can never fail
 * for want of memory; {@link Sealing} says what becomes of it.
 */
public final class Page {
    final SizeClass.Block block;
    private final PageLayout layout;
    private final MemorySegment keys;
    private final MemorySegment values;
    private final int position;
    private Optional<Page> target;
    private @Nullable Sealing sealing; // the engine's thread alone
    int references = 1;

    Page(SizeClass.Block block, PageLayout layout, int position, Optional<Page> target) {
        this.block = block;
        this.layout = layout;
        this.position = position;
        this.target = target;
        MemorySegment bytes = block.bytes();
        this.keys = bytes.asSlice(0, layout.keyBytes());
        this.values = bytes.asSlice(layout.valuesOffset(), layout.valueBytes());
    }

    public PageLayout layout() {
        return layout;
    }

    /**
     * @return the keys' bytes, laid out as the form says
     */
    public MemorySegment keys() {
        return keys;
    }

    /**
     * @return the values' bytes, laid out as the form says
     */
    public MemorySegment values() {
        return values;
    }

    /**
     * @return position in the sequence of the first token
     */
    public int position() {
        return position;
    }

    /**
     * @return position of the first token beyond a full page
     */
    public int end() {
        return position + layout.tokens();
    }

    /**
     * @return room for the sealed form; empty if the page stays as it is
     */
    Optional<Page> target() {
        return target;
    }

    /** Stays as it is after all. Called by {@link PagePool#refuse} alone. */
    void forgetTarget() {
        target = Optional.empty();
    }

    /**
     * @return the sealing that was begun, if one was
     */
    Optional<Sealing> sealing() {
        return Optional.ofNullable(sealing);
    }

    void sealing(Sealing begun) {
        sealing = begun;
    }

    /** Writes one row of an open page; how many rows count is the table's knowledge. */
    void write(int token, float[] key, int keyOffset, float[] value, int valueOffset) {
        append(layout.form().keys(), layout.keyShape(), keys, token, key, keyOffset);
        append(layout.form().values(), layout.valueShape(), values, token, value, valueOffset);
    }

    private static void append(HalfForm form, HalfShape shape, MemorySegment half, int token, float[] row, int offset) {
        ((RowCodec) form.codec()).append(shape, half, token, row, offset);
    }

    void copyFrom(Page other) {
        keys.copyFrom(other.keys);
        values.copyFrom(other.values);
    }
}
