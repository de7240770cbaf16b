package org.pikv4j.cache.control;

import java.util.ArrayList;
import java.util.List;
import org.pikv4j.cache.compression.BasisSource;
import org.pikv4j.cache.compression.FormSpec;
import org.pikv4j.cache.storage.CacheLayout;
import org.pikv4j.cache.storage.PageLayout;

/**
 * The forms that full pages may take, from the one that they are filled in to the smallest: 8 bit, then 4, 3 and 2. All have
 * scales for each token, so that tokens can be moved together without another rounding. Low rank is no rung: it must be fitted to
 * the model first, and loses more than a number format of the same bytes ({@code bench compression}). A disk is none either: what
 * is read there costs time and no error, and no price in bytes says how much of the one is worth how much of the other.
 */
public final class Ladder {
    /** Below the form in which pages are filled; one that is not smaller than that is left out. */
    public static final List<String> FORMS = List.of("bf16", "int8", "turbo4", "turbo3", "turbo2");

    /** The most rungs that there can be. */
    public static final int MOST = FORMS.size() + 1;

    private final List<List<PageLayout>> layers; // (layer, rung)

    private Ladder(List<List<PageLayout>> layers) {
        this.layers = layers;
    }

    /**
     * @param layout how sequences are cut into pages
     * @return the forms of their pages
     */
    public static Ladder of(CacheLayout layout) {
        List<List<PageLayout>> layers = new ArrayList<>();
        for (CacheLayout.Layer layer : layout.layers()) {
            List<PageLayout> rungs = new ArrayList<>(List.of(layer.open()));
            for (String form : FORMS) {
                PageLayout open = layer.open();
                PageLayout smaller = new PageLayout(
                        FormSpec.parse(form, BasisSource.NONE).form(layers.size(), 0, open.headDim()),
                        open.tokens(),
                        open.headDim(),
                        open.room());
                if (smaller.pageBytes() < rungs.getLast().pageBytes()) {
                    rungs.add(smaller);
                }
            }
            layers.add(List.copyOf(rungs));
        }
        return new Ladder(layers);
    }

    /**
     * @param layer index of a layer
     * @return the layouts of its pages, the largest first
     */
    public List<PageLayout> rungs(int layer) {
        return layers.get(layer);
    }

    /**
     * @param layer index of a layer
     * @param layout the layout of one of its pages
     * @return its place among the {@link #rungs}
     */
    public int rung(int layer, PageLayout layout) {
        return layers.get(layer).indexOf(layout);
    }

    /**
     * A page takes its smaller form before the larger is given back.
     *
     * @param budgetBytes what the cache may take
     * @return of these, what is kept free for that
     */
    public long keptBytes(long budgetBytes) {
        long page = layers.stream()
                .mapToLong(rungs -> rungs.get(Math.min(1, rungs.size() - 1)).pageBytes())
                .max()
                .orElseThrow();
        return Math.max(page, budgetBytes / 128);
    }
}
