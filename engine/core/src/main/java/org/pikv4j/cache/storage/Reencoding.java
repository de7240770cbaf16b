package org.pikv4j.cache.storage;

import java.lang.foreign.MemorySegment;
import org.pikv4j.cache.compression.HalfForm;
import org.pikv4j.cache.compression.HalfShape;
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

    /**
     * @param source a page
     * @param target the same tokens in another form
     * @return what it lost: the mean of |k̂ − k| / |k| and |v̂ − v| / |v|, norms over the page
     */
    static double lost(Page source, Page target) {
        return (lost(rows(source, true), rows(target, true)) + lost(rows(source, false), rows(target, false))) / 2;
    }

    private static float[] rows(Page page, boolean keys) {
        PageLayout layout = page.layout();
        float[] rows = new float[layout.tokens() * layout.headDim()];
        HalfForm form = keys ? layout.form().keys() : layout.form().values();
        HalfShape shape = keys ? layout.keyShape() : layout.valueShape();
        form.decode(shape, keys ? page.keys() : page.values(), layout.headDim(), rows);
        return rows;
    }

    private static double lost(float[] rows, float[] decoded) {
        double error = 0;
        double norm = 0;
        for (int i = 0; i < rows.length; i++) {
            double difference = decoded[i] - rows[i];
            error += difference * difference;
            norm += (double) rows[i] * rows[i];
        }
        return norm > 0 ? Math.sqrt(error / norm) : 0;
    }
}
