package org.pikv4j.cache.storage;

import org.pikv4j.cache.compression.PageForm;

/**
 * The bytes of one page: {@code tokens} tokens of one layer and one KV head in one {@link PageForm}.
 *
 * <pre>
 *   offset 0                                  valuesOffset                     payloadBytes      pageBytes
 *   | keys, transposed: [headDim][tokens]     | values: [tokens][headDim]      | zeros to 64      |
 *   | d0: t0 t1 t2 … | d1: t0 t1 t2 … | …     | t0: d0 d1 d2 … | t1: d0 d1 …   |                  |
 * </pre>
 *
 * Keys are transposed so that the lanes of a vector register are tokens and no score needs a reduction; values are not,
 * so that the lanes of their weighted sum are elements of the output. A form says how many bytes each half takes and what
 * stands in them. Positions are not stored: the tokens of a page are consecutive, and the page carries its first.
 */
public final class PageLayout {
    private static final int ALIGNMENT = 64;

    private final PageForm form;
    private final int tokens;
    private final int headDim;
    private final int valuesOffset;
    private final int payloadBytes;

    /**
     * @param form how elements are stored
     * @param tokens tokens per page, a positive multiple of 16
     * @param headDim width of a head
     */
    public PageLayout(PageForm form, int tokens, int headDim) {
        if (tokens <= 0 || tokens % 16 != 0) {
            throw new IllegalArgumentException("a page holds a positive multiple of 16 tokens, not " + tokens);
        }
        this.form = form;
        this.tokens = tokens;
        this.headDim = headDim;
        this.valuesOffset = form.keyBytes(tokens, headDim);
        this.payloadBytes = Math.addExact(valuesOffset, form.valueBytes(tokens, headDim));
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

    public int headDim() {
        return headDim;
    }

    /**
     * @return where the values start, in bytes from the start of the page; the keys start at 0
     */
    public int valuesOffset() {
        return valuesOffset;
    }

    /**
     * @return bytes of keys and values
     */
    public int payloadBytes() {
        return payloadBytes;
    }

    /**
     * @return bytes that a page takes in its slab, padding included
     */
    public int pageBytes() {
        return Math.ceilDiv(payloadBytes, ALIGNMENT) * ALIGNMENT;
    }
}
