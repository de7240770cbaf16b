package org.pikv4j.cache.storage;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.pikv4j.cache.compression.HalfForm;
import org.pikv4j.cache.compression.HalfShape;
import org.pikv4j.cache.compression.RowCodec;

/**
 * Tokens of one layer and one KV head, in a slab: consecutive ones, or, behind an eviction, the survivors of several pages
 * with their positions, in ascending order. Sequences that share a prefix share its pages; a page is written only while one
 * table holds it. Made, retained and released by {@link PagePool} alone.
 *
 * <p>A page that is full and has the form that it keeps may move to a {@link SecondTier}, for all who share it: its bytes are
 * the same there, and are not written any more.
 *
 * <p>A page that shall be compressed has room for its sealed form beside it from the start, so that sealing can never fail
 * for want of memory; {@link Sealing} says what becomes of it.
 */
public final class Page {
    /** The place of pages that are on no shard. */
    public static final int HERE = -1;

    private static final ValueLayout.OfInt POSITION = ValueLayout.JAVA_INT_UNALIGNED;

    private SizeClass.Block block;
    private int shard; // the block's: asked for every page and query
    private final PageLayout layout;
    private MemorySegment keys;
    private MemorySegment values;
    private MemorySegment bounds;
    private final int position;
    private final int survivors; // 0 where tokens are consecutive
    private Optional<Page> target;
    private Optional<SecondTier> tier = Optional.empty();
    private @Nullable Sealing sealing; // the engine's thread alone
    private final PageSummary summary = new PageSummary();
    private Optional<PageName> name = Optional.empty(); // likewise
    private ReadCount reads = new ReadCount(); // likewise
    private boolean fixed; // no smaller form takes its numbers
    int references = 1;

    Page(SizeClass.Block block, PageLayout layout, int position, Optional<Page> target) {
        this(block, layout, position, target, 0);
    }

    private Page(SizeClass.Block block, PageLayout layout, int position, Optional<Page> target, int survivors) {
        this.block = block;
        this.layout = layout;
        this.position = position;
        this.target = target;
        this.survivors = survivors;
        this.shard = block.cut().owner().shard();
        MemorySegment bytes = block.bytes();
        this.keys = keys(bytes);
        this.values = values(bytes);
        this.bounds = bounds(bytes);
    }

    private MemorySegment keys(MemorySegment bytes) {
        return bytes.asSlice(0, layout.keyBytes());
    }

    private MemorySegment values(MemorySegment bytes) {
        return bytes.asSlice(layout.valuesOffset(), layout.valueBytes());
    }

    private MemorySegment bounds(MemorySegment bytes) {
        return layout.hasBounds() ? bytes.asSlice(layout.roomOffset(), layout.roomBytes()) : MemorySegment.NULL;
    }

    /**
     * @return where its bytes are
     */
    SizeClass.Block block() {
        return block;
    }

    /**
     * @return the tier that it has moved to; empty if it is in memory
     */
    Optional<SecondTier> tier() {
        return tier;
    }

    /**
     * @return the shard that it is on, or {@link #HERE}
     */
    public int shard() {
        return shard;
    }

    /**
     * @return what it is called on its shard; empty where nobody has said so since it came there
     */
    public Optional<PageName> name() {
        return name;
    }

    /**
     * @param given what it is called on its shard, until it leaves it
     */
    public void named(PageName given) {
        name = Optional.of(given);
    }

    /**
     * Counts what attention reads of it on a shard. Called by the engine's thread alone.
     *
     * @param bytes how much
     * @param epoch when: what was read in an epoch before counts half
     */
    public void read(long bytes, int epoch) {
        reads.add(bytes, epoch);
    }

    /**
     * @param epoch now, not before it was read last
     * @return bytes read of it lately
     */
    public long readBytes(int epoch) {
        return reads.bytes(epoch);
    }

    /**
     * Goes on elsewhere, with the same bytes. Called by {@link PagePool#move} alone, between two batches.
     *
     * @param slot a copy of its bytes
     * @param other the tier that has them
     * @return where its bytes were
     */
    SizeClass.Block moveTo(SizeClass.Block slot, SecondTier other) {
        tier = Optional.of(other);
        return moveTo(slot);
    }

    /**
     * Goes on elsewhere, with the same bytes. Called by {@link PagePool} alone, between two batches.
     *
     * @param slot a copy of its bytes
     * @return where its bytes were
     */
    SizeClass.Block moveTo(SizeClass.Block slot) {
        SizeClass.Block left = block;
        MemorySegment bytes = slot.bytes();
        block = slot;
        if (shard != slot.cut().owner().shard()) {
            name = Optional.empty();
            shard = slot.cut().owner().shard();
        }
        keys = keys(bytes);
        values = values(bytes);
        bounds = bounds(bytes);
        return left;
    }

    public PageLayout layout() {
        return layout;
    }

    /**
     * @return what is known of it without reading it
     */
    public PageSummary summary() {
        return summary;
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
     * @param side keys or values
     * @param rows receives what attention takes them for, (tokens, headDim)
     */
    public void decode(HalfShape.Side side, float[] rows) {
        layout.decode(side, side == HalfShape.Side.KEYS ? keys : values, rows);
    }

    /**
     * @param side keys or values
     * @return what attention takes them for, in a new array (tokens, headDim)
     */
    public float[] decoded(HalfShape.Side side) {
        float[] rows = new float[layout.tokens() * layout.headDim()];
        decode(side, rows);
        return rows;
    }

    /**
     * @return the bounds of the keys, by block ({@link KeyBounds}); empty where the layout has none
     */
    public MemorySegment bounds() {
        return bounds;
    }

    /**
     * The same memory with other tokens. This page is void then.
     *
     * @param positions of the tokens written to it, ascending
     * @param count how many, at least one
     */
    Page rewritten(int[] positions, int count) {
        MemorySegment.copy(positions, 0, block.bytes(), POSITION, layout.roomOffset(), count);
        return instead(positions[0], count);
    }

    /**
     * The same memory with fewer tokens. This page is void then.
     *
     * @param count how many of the first survivors are left, at least one
     */
    Page trimmed(int count) {
        return instead(position, count);
    }

    private Page instead(int first, int count) {
        Page page = new Page(block, layout, first, Optional.empty(), count);
        page.name = name;
        page.summary.error(summary.error()); // what it holds has gone through the form, most of it as often
        page.reads = reads;
        return page;
    }

    /** Makes an empty page hold what this one does. */
    Page copiedTo(Page empty) {
        empty.block.bytes().copyFrom(block.bytes());
        Page copy = new Page(empty.block, layout, position, Optional.empty(), survivors);
        copy.summary.error(summary.error());
        return copy;
    }

    /** Makes an empty page, which has these tokens in another form, know their positions. */
    Page placed(Page empty) {
        if (ragged()) {
            MemorySegment.copy(
                    block.bytes(),
                    layout.roomOffset(),
                    empty.block.bytes(),
                    empty.layout.roomOffset(),
                    (long) survivors * Integer.BYTES);
        }
        Page page = new Page(empty.block, empty.layout, position, Optional.empty(), survivors);
        page.summary.inherit(summary);
        page.reads = reads;
        page.name = page.shard == shard ? name : Optional.empty();
        return page;
    }

    /**
     * @return whether it was found to hold numbers that a smaller form does not take
     */
    public boolean fixed() {
        return fixed;
    }

    /** It keeps its form for good. Called by {@link PagePool} alone. */
    void fix() {
        fixed = true;
    }

    /**
     * @return whether its tokens are what evictions have left, so that none can be added
     */
    boolean ragged() {
        return survivors > 0;
    }

    /**
     * @return position in the sequence of the first token
     */
    public int position() {
        return position;
    }

    /**
     * @param slot a token of this page
     * @return its position in the sequence
     */
    public int position(int slot) {
        return ragged() ? block.bytes().get(POSITION, positionOffset(slot)) : position + slot;
    }

    private long positionOffset(int slot) {
        return layout.roomOffset() + (long) slot * Integer.BYTES;
    }

    /**
     * @return one past the position of the last token that it has, or has room for
     */
    public int end() {
        return ragged() ? position(survivors - 1) + 1 : position + layout.tokens();
    }

    /**
     * @param limit a position
     * @return how many slots, from the first on, are of positions before it
     */
    public int slotsBefore(int limit) {
        if (!ragged()) {
            return Math.clamp((long) limit - position, 0, layout.tokens());
        }
        int low = 0;
        int high = survivors;
        if (position >= limit || position(survivors - 1) < limit) {
            return position >= limit ? 0 : survivors; // nearly always
        }
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (position(middle) < limit) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
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
        summary.forget();
        append(layout.form().keys(), layout.keyShape(), keys, token, key, keyOffset);
        append(layout.form().values(), layout.valueShape(), values, token, value, valueOffset);
        if (layout.hasBounds()) {
            KeyBounds.widen(bounds, token, key, keyOffset, layout.headDim());
        }
    }

    /**
     * @return whether single keys can be written, and nobody is about to change the form
     */
    boolean takesRows() {
        return layout.form().keys().codec() instanceof RowCodec && target.isEmpty() && tier.isEmpty();
    }

    /** Writes one key anew. */
    void writeKey(int slot, float[] key, int keyOffset) {
        summary.forget();
        append(layout.form().keys(), layout.keyShape(), keys, slot, key, keyOffset);
    }

    private static void append(HalfForm form, HalfShape shape, MemorySegment half, int token, float[] row, int offset) {
        ((RowCodec) form.codec()).append(shape, half, token, row, offset);
    }

    void copyFrom(Page other) {
        keys.copyFrom(other.keys);
        values.copyFrom(other.values);
        copyBounds(other);
    }

    void copyBounds(Page other) {
        bounds.copyFrom(other.bounds);
    }
}
