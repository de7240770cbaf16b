package org.pikv4j.cache.storage;

import java.lang.foreign.MemorySegment;
import org.pikv4j.cache.compression.HalfForm;
import org.pikv4j.cache.compression.HalfShape;
import org.pikv4j.cache.compression.PageForm;

/**
 * The bytes of one page: {@code tokens} tokens of one layer and one KV head in one {@link PageForm}.
 *
 * <pre>
 *   offset 0                              valuesOffset                   roomOffset          payloadBytes  pageBytes
 *   | keys, transposed: [width][tokens]   | values: [tokens][width]      | positions or bounds | zeros to 64 |
 *   | d0: t0 t1 t2 … | d1: t0 t1 t2 … | … | t0: d0 d1 d2 … | t1: d0 d1 … | t0 t1 t2 …          |             |
 * </pre>
 *
 * Keys are transposed so that the lanes of a vector register are tokens and no score needs a reduction; values are not,
 * so that the lanes of their weighted sum are elements of the output ({@link HalfShape}). A form says how many bytes each
 * half takes and what stands in them. Where tokens may be evicted there is room for the positions of those that stay, as
 * int32; until then the tokens of a page are consecutive, and the page carries its first. Where queries choose what they read
 * there are {@linkplain KeyBounds bounds} instead.
 */
public final class PageLayout {
    /** Tokens that share bounds of their keys, whatever the page size (Quest, arXiv 2406.10774, §3.3: pages of 16). */
    public static final int BOUNDED_TOKENS = 16;

    private static final int ALIGNMENT = 64;

    private final PageForm form;
    private final int tokens;
    private final int headDim;
    private final HalfShape keyShape;
    private final HalfShape valueShape;
    private final int keyBytes;
    private final int valueBytes;
    private final PageRoom room;

    /**
     * A page whose tokens stay together.
     *
     * @param form how elements are stored
     * @param tokens tokens per page, a positive multiple of 16
     * @param headDim width of a head
     */
    public PageLayout(PageForm form, int tokens, int headDim) {
        this(form, tokens, headDim, PageRoom.NONE);
    }

    /**
     * @param form how elements are stored
     * @param tokens tokens per page, a positive multiple of 16
     * @param headDim width of a head
     * @param room what else it has room for
     */
    public PageLayout(PageForm form, int tokens, int headDim, PageRoom room) {
        if (tokens <= 0 || tokens % 16 != 0) {
            throw new IllegalArgumentException("a page holds a positive multiple of 16 tokens, not " + tokens);
        }
        this.form = form;
        this.tokens = tokens;
        this.headDim = headDim;
        this.room = room;
        this.keyShape = new HalfShape(HalfShape.Side.KEYS, tokens, form.keys().width(headDim));
        this.valueShape =
                new HalfShape(HalfShape.Side.VALUES, tokens, form.values().width(headDim));
        this.keyBytes = form.keys().codec().bytes(keyShape);
        this.valueBytes = form.values().codec().bytes(valueShape);
    }

    public PageForm form() {
        return form;
    }

    /**
     * @return capacity of a page in tokens
     */
    public int tokens() {
        return tokens;
    }

    /**
     * @return width of a head, whatever width is stored
     */
    public int headDim() {
        return headDim;
    }

    /**
     * @return the keys' matrix as it is stored
     */
    public HalfShape keyShape() {
        return keyShape;
    }

    /**
     * @return the values' matrix as it is stored
     */
    public HalfShape valueShape() {
        return valueShape;
    }

    /**
     * @return bytes of the keys, which start the page
     */
    public int keyBytes() {
        return keyBytes;
    }

    /**
     * @return bytes of the values
     */
    public int valueBytes() {
        return valueBytes;
    }

    /**
     * @param side keys or values
     * @param rows as the model computed them, (tokens, headDim)
     * @param half receives the bytes of that half
     * @return whether the form takes them: not if a number is none, or too large for it
     */
    public boolean encode(HalfShape.Side side, float[] rows, MemorySegment half) {
        return form(side).encode(shape(side), rows, headDim, half);
    }

    /**
     * @param side keys or values
     * @param half the bytes of that half
     * @param rows receives what attention takes them for, (tokens, headDim)
     */
    public void decode(HalfShape.Side side, MemorySegment half, float[] rows) {
        form(side).decode(shape(side), half, headDim, rows);
    }

    private HalfForm form(HalfShape.Side side) {
        return side == HalfShape.Side.KEYS ? form.keys() : form.values();
    }

    private HalfShape shape(HalfShape.Side side) {
        return side == HalfShape.Side.KEYS ? keyShape : valueShape;
    }

    /**
     * @return where the values start, in bytes from the start of the page, aligned to 4
     */
    public int valuesOffset() {
        return Math.ceilDiv(keyBytes, Float.BYTES) * Float.BYTES;
    }

    /**
     * @return what it has room for besides keys and values
     */
    public PageRoom room() {
        return room;
    }

    /**
     * @return whether tokens can be evicted one by one
     */
    public boolean hasPositions() {
        return room.positions();
    }

    /**
     * @return whether bounds of the keys are kept
     */
    public boolean hasBounds() {
        return room.bounds();
    }

    /**
     * @return where positions or bounds start, if there are any, aligned to 4
     */
    int roomOffset() {
        return Math.ceilDiv(Math.addExact(valuesOffset(), valueBytes), Integer.BYTES) * Integer.BYTES;
    }

    /**
     * @return of the bytes of keys and values, those of scales and whatever else a codec needs
     */
    public int scaleBytes() {
        return form.keys().codec().scaleBytes(keyShape) + form.values().codec().scaleBytes(valueShape);
    }

    /**
     * @return bytes of positions or bounds
     */
    int roomBytes() {
        return roomBytes(room, tokens, headDim);
    }

    /**
     * @param room what a page has room for beside keys and values
     * @param tokens tokens of the page
     * @param width width of a key
     * @return bytes of positions or bounds
     */
    public static int roomBytes(PageRoom room, int tokens, int width) {
        return room.positions()
                ? tokens * Integer.BYTES
                : room.bounds() ? tokens / BOUNDED_TOKENS * KeyBounds.bytes(width) : 0;
    }

    /**
     * @return bytes of keys, values, and positions or bounds
     */
    public int payloadBytes() {
        return roomBytes() > 0 ? Math.addExact(roomOffset(), roomBytes()) : Math.addExact(valuesOffset(), valueBytes);
    }

    /**
     * @return bytes that a page takes in its slab, padding included
     */
    public int pageBytes() {
        return Math.ceilDiv(payloadBytes(), ALIGNMENT) * ALIGNMENT;
    }
}
