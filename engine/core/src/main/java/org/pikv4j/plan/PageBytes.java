package org.pikv4j.plan;

import org.pikv4j.cache.compression.Codec;
import org.pikv4j.cache.compression.HalfShape;
import org.pikv4j.cache.storage.PageLayout;
import org.pikv4j.cache.storage.PageRoom;

/**
 * The bytes of one page.
 *
 * @param payload numbers of keys and values, or of latents
 * @param scales scales and whatever else the form needs
 * @param metadata positions, bounds and padding
 */
record PageBytes(long payload, long scales, long metadata) {
    private static final int ALIGNMENT = 64;

    static PageBytes of(PageLayout page) {
        long stored = (long) page.keyBytes() + page.valueBytes();
        return new PageBytes(stored - page.scaleBytes(), page.scaleBytes(), page.pageBytes() - stored);
    }

    /** A page of latents: rows of all their numbers, token by token, as values are kept. */
    static PageBytes latent(Codec codec, int tokens, int width, PageRoom room) {
        HalfShape shape = new HalfShape(HalfShape.Side.VALUES, tokens, width);
        long stored = codec.bytes(shape);
        long scales = codec.scaleBytes(shape);
        long beside = PageLayout.roomBytes(room, tokens, width);
        long page = Math.ceilDiv(stored + beside, ALIGNMENT) * ALIGNMENT;
        return new PageBytes(stored - scales, scales, page - stored);
    }

    long total() {
        return payload + scales + metadata;
    }
}
