package org.pikv4j.cache.control;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.pikv4j.cache.compression.HalfShape;
import org.pikv4j.cache.storage.Page;
import org.pikv4j.cache.storage.PageLayout;
import org.pikv4j.cache.storage.RelativeError;

/** Measures what forms lose of a page. */
final class FormErrors {
    private FormErrors() {}

    /**
     * @param page a page
     * @param rungs the forms that it may take, the largest first
     * @param from its own among them
     * @param errors receives for each rung the relative error of keys and values together, √(e_K² + e_V²), e being the Frobenius
     *     norm of the difference over that of the half; 0 up to the page's own, and never less than the one before
     * @return whether the forms take the page's numbers, so that there is something to measure
     */
    static boolean measure(Page page, List<PageLayout> rungs, int from, float[] errors) {
        float[] keys = page.decoded(HalfShape.Side.KEYS);
        float[] values = page.decoded(HalfShape.Side.VALUES);
        for (int rung = from + 1; rung < rungs.size(); rung++) {
            PageLayout layout = rungs.get(rung);
            double ofKeys = error(layout, HalfShape.Side.KEYS, layout.keyBytes(), keys);
            double ofValues = error(layout, HalfShape.Side.VALUES, layout.valueBytes(), values);
            double both = Math.sqrt(ofKeys * ofKeys + ofValues * ofValues);
            if (!Double.isFinite(both)) {
                return false;
            }
            errors[rung] = Math.max(errors[rung - 1], (float) both);
        }
        return true;
    }

    /** Not finite where the form does not take the rows. */
    private static double error(PageLayout layout, HalfShape.Side side, int bytes, float[] rows) {
        MemorySegment half = MemorySegment.ofArray(new byte[bytes]);
        if (!layout.encode(side, rows, half)) {
            return Double.NaN;
        }
        float[] read = new float[rows.length];
        layout.decode(side, half, read);
        return RelativeError.of(rows, read);
    }
}
