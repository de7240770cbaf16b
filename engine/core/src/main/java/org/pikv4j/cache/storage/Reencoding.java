package org.pikv4j.cache.storage;

import java.lang.foreign.MemorySegment;
import org.pikv4j.cache.compression.PageForm;

/** Brings the rows of a page into another form. */
final class Reencoding {
    private Reencoding() {}

    /**
     * @param source a page
     * @param target its tokens' room in another form, all of it written
     * @return whether that form takes them: not if a number is none, or too large for it
     */
    static boolean encode(Page source, Page target) {
        return encode(source, target.layout(), target.keys(), target.values());
    }

    /**
     * @param source a page
     * @param layout of the other form
     * @param keys receives the keys
     * @param values receives the values
     * @return whether that form takes them
     */
    static boolean encode(Page source, PageLayout layout, MemorySegment keys, MemorySegment values) {
        int headDim = source.layout().headDim();
        float[] rows = new float[source.layout().tokens() * headDim];
        PageForm from = source.layout().form();
        PageForm into = layout.form();
        from.keys().decode(source.layout().keyShape(), source.keys(), headDim, rows);
        if (!into.keys().encode(layout.keyShape(), rows, headDim, keys)) {
            return false;
        }
        from.values().decode(source.layout().valueShape(), source.values(), headDim, rows);
        return into.values().encode(layout.valueShape(), rows, headDim, values);
    }
}
