package org.pikv4j.cache.routing;

import java.util.Arrays;
import org.pikv4j.cache.storage.Page;
import org.pikv4j.cache.storage.PageSummary;

/**
 * The mean keys of one head's pages side by side, (headDim, page), so that a query meets all of them in loops over neighbours, which
 * compilers know how to vectorise. Follows the pages by itself.
 */
final class Centroids {
    private static final int STEP = 16;

    private static final float[] NONE = {};

    private float[][] known = {}; // the mean key that each column has
    private float[] columns = {};
    private float[] products = {};
    private int width;

    /**
     * @param headDim width of a head
     * @param pages full pages of a head
     * @return heap bytes for these, and one more that is being filled
     */
    static long bytes(int headDim, long pages) {
        return Math.ceilDiv(pages + 1, STEP) * STEP * (PageSummary.centroidBytes(headDim) + Float.BYTES + Long.BYTES);
    }

    /**
     * @param pages the head's pages; one without a mean key has zeros
     * @param headDim width of a head
     */
    @SuppressWarnings("ReferenceEquality") // a page's mean key is made once for what it holds
    void follow(Page[] pages, int headDim) {
        if (pages.length > known.length || headDim != width) {
            int capacity = Math.ceilDiv(pages.length, STEP) * STEP;
            known = new float[capacity][];
            Arrays.fill(known, NONE);
            columns = new float[headDim * capacity];
            products = new float[capacity];
            width = headDim;
        }
        for (int p = 0; p < pages.length; p++) {
            float[] mean = pages[p].summary().centroid().orElse(NONE);
            if (mean != known[p]) {
                known[p] = mean;
                for (int d = 0; d < width; d++) {
                    columns[d * known.length + p] = mean == NONE ? 0 : mean[d];
                }
            }
        }
    }

    /**
     * @param queries holds a query
     * @param at where it begins
     * @param count how many pages
     * @return its product with the mean key of each; overwritten by the next
     */
    float[] products(float[] queries, int at, int count) {
        float[] sums = products;
        float[] from = columns;
        Arrays.fill(sums, 0, count, 0f);
        for (int d = 0; d < width; d++) {
            float query = queries[at + d];
            int row = d * known.length;
            for (int p = 0; p < count; p++) {
                sums[p] += query * from[row + p];
            }
        }
        return sums;
    }
}
