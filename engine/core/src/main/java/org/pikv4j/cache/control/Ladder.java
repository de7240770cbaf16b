package org.pikv4j.cache.control;

import java.util.ArrayList;
import java.util.List;
import org.pikv4j.cache.compression.BasisSource;
import org.pikv4j.cache.compression.FormSpec;
import org.pikv4j.cache.storage.CacheLayout;
import org.pikv4j.cache.storage.PageLayout;

/**
 * The forms that full pages may take, from the one that they are filled in to the smallest: 8 bit, then 4, then 3, then values of 2.
 * Keys of 2 bit are no rung: dropping the tokens that matter least costs the output less ({@code bench/results/auto}). All have
 * scales for each token, so that tokens can be moved together without another rounding. Low rank is no rung: it must be fitted to
 * the model first, and loses more than a number format of the same bytes ({@code bench compression}). A disk is none either: what
 * is read there costs time and no error, and no price in bytes says how much of the one is worth how much of the other.
 */
public final class Ladder {
    /** Below the form in which pages are filled; one that is not smaller than that is left out. */
    public static final List<String> FORMS = List.of("bf16", "int8", "turbo4", "turbo3", "turbo3,turbo2");

    /** Down to this one, forms change next to nothing: its error is some 0.2% of the output ({@code bench compression}). */
    private static final String NEARLY_FREE = "int8";

    /** Of the budget, what a batch's rows may take, before they take smaller forms. */
    private static final int ROWS_SHARE = 8;

    /** The most rungs that there can be. */
    public static final int MOST = FORMS.size() + 1;

    private final List<Rungs> layers;

    private record Rungs(List<String> names, List<PageLayout> layouts) {}

    private Ladder(List<Rungs> layers) {
        this.layers = layers;
    }

    /**
     * @param layout how sequences are cut into pages
     * @return the forms of their pages
     */
    public static Ladder of(CacheLayout layout) {
        List<Rungs> layers = new ArrayList<>();
        for (CacheLayout.Layer layer : layout.layers()) {
            PageLayout open = layer.open();
            List<String> names = new ArrayList<>(List.of(open.form().name()));
            List<PageLayout> layouts = new ArrayList<>(List.of(open));
            for (String form : FORMS) {
                PageLayout smaller = new PageLayout(
                        FormSpec.parse(form, BasisSource.NONE).form(layers.size(), 0, open.headDim()),
                        open.tokens(),
                        open.headDim(),
                        open.room());
                if (smaller.pageBytes() < layouts.getLast().pageBytes()) {
                    names.add(form);
                    layouts.add(smaller);
                }
            }
            layers.add(new Rungs(List.copyOf(names), List.copyOf(layouts)));
        }
        return new Ladder(layers);
    }

    /**
     * @param layer index of a layer
     * @return the layouts of its pages, the largest first
     */
    public List<PageLayout> rungs(int layer) {
        return layers.get(layer).layouts();
    }

    /**
     * @param layer index of a layer
     * @return place of the smallest form that changes next to nothing; 0 where there is none
     */
    public int nearlyFree(int layer) {
        return Math.max(0, layers.get(layer).names().indexOf(NEARLY_FREE));
    }

    /**
     * @param layer index of a layer
     * @param layout the layout of one of its pages
     * @return the form, as options spell it
     */
    public String name(int layer, PageLayout layout) {
        return layers.get(layer).names().get(rung(layer, layout));
    }

    /**
     * @param layer index of a layer
     * @param layout the layout of one of its pages
     * @return its place among the {@link #rungs}
     */
    public int rung(int layer, PageLayout layout) {
        return rungs(layer).indexOf(layout);
    }

    /**
     * @param budgetBytes what the cache may take
     * @return of these, what the rows of a batch may take where memory is short, but for a page of each head
     */
    public static long rowsBytes(long budgetBytes) {
        return budgetBytes / ROWS_SHARE;
    }

    /**
     * A page takes its smaller form before the larger is given back.
     *
     * @param budgetBytes what the cache may take
     * @return of these, what is kept free for that
     */
    public long keptBytes(long budgetBytes) {
        long page = layers.stream()
                .map(Rungs::layouts)
                .mapToLong(rungs -> rungs.get(Math.min(1, rungs.size() - 1)).pageBytes())
                .max()
                .orElseThrow();
        return Math.max(page, budgetBytes / 128);
    }
}
