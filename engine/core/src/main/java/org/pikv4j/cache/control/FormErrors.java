package org.pikv4j.cache.control;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.pikv4j.cache.compression.HalfForm;
import org.pikv4j.cache.compression.HalfShape;
import org.pikv4j.cache.storage.Page;
import org.pikv4j.cache.storage.PageLayout;

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
        PageLayout own = rungs.get(from);
        float[] keys = rows(own.form().keys(), own.keyShape(), page.keys(), own);
        float[] values = rows(own.form().values(), own.valueShape(), page.values(), own);
        for (int rung = from + 1; rung < rungs.size(); rung++) {
            PageLayout layout = rungs.get(rung);
            double ofKeys = error(layout.form().keys(), layout.keyShape(), keys, layout, layout.keyBytes());
            double ofValues = error(layout.form().values(), layout.valueShape(), values, layout, layout.valueBytes());
            double both = Math.sqrt(ofKeys * ofKeys + ofValues * ofValues);
            if (!Double.isFinite(both)) {
                return false;
            }
            errors[rung] = Math.max(errors[rung - 1], (float) both);
        }
        return true;
    }

    private static float[] rows(HalfForm form, HalfShape shape, MemorySegment half, PageLayout layout) {
        float[] rows = new float[layout.tokens() * layout.headDim()];
        form.decode(shape, half, layout.headDim(), rows);
        return rows;
    }

    /** Not finite where the form does not take the rows. */
    private static double error(HalfForm form, HalfShape shape, float[] rows, PageLayout layout, int bytes) {
        MemorySegment half = MemorySegment.ofArray(new byte[bytes]);
        if (!form.encode(shape, rows, layout.headDim(), half)) {
            return Double.NaN;
        }
        float[] read = rows(form, shape, half, layout);
        double lost = 0;
        double all = 0;
        for (int i = 0; i < rows.length; i++) {
            double difference = (double) rows[i] - read[i];
            lost += difference * difference;
            all += (double) rows[i] * rows[i];
        }
        return all > 0 ? Math.sqrt(lost / all) : 0;
    }
}
