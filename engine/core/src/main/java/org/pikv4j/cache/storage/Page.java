package org.pikv4j.cache.storage;

import java.lang.foreign.MemorySegment;

/**
 * A run of consecutive tokens of one layer and one KV head, in a slab. Sequences that share a prefix share its pages; a
 * page is written only while one table holds it. Made, retained and released by {@link PagePool} alone.
 */
public final class Page {
    final SizeClass.Block block;
    private final PageLayout layout;
    private final MemorySegment keys;
    private final MemorySegment values;
    private final int position;
    int references = 1;

    Page(SizeClass.Block block, PageLayout layout, int position) {
        this.block = block;
        this.layout = layout;
        this.position = position;
        MemorySegment bytes = block.bytes();
        this.keys = bytes.asSlice(0, layout.valuesOffset());
        this.values = bytes.asSlice(layout.valuesOffset(), layout.payloadBytes() - layout.valuesOffset());
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

    /** Writes one row; how many rows count is the table's knowledge. */
    void write(int slot, float[] key, int keyOffset, float[] value, int valueOffset) {
        layout.form().append(keys, values, layout.tokens(), slot, layout.headDim(), key, keyOffset, value, valueOffset);
    }

    void copyFrom(Page other) {
        keys.copyFrom(other.keys);
        values.copyFrom(other.values);
    }
}
