package org.pikv4j.cache.storage;

import java.util.Optional;
import java.util.function.DoubleSupplier;
import org.jspecify.annotations.Nullable;
import org.pikv4j.cache.compression.HalfShape;

/**
 * What is known of a full page without reading it: made once, kept with the engine wherever the page lives. For the engine's thread.
 */
public final class PageSummary {
    private int expertShard = -1;
    private float @Nullable [] centroid;
    private double error;
    private double weight;
    private long weighedAt = -1;

    PageSummary() {}

    /**
     * @return the expert shard that it belongs to; -1 if nobody has said
     */
    public int expertShard() {
        return expertShard;
    }

    /**
     * @param shard the expert shard that it belongs to
     */
    public void expertShard(int shard) {
        expertShard = shard;
    }

    /**
     * @return the mean of its keys, rotated, (headDim), if it was asked for
     */
    public Optional<float[]> centroid() {
        return Optional.ofNullable(centroid);
    }

    /**
     * @param headDim width of a head
     * @return heap bytes of the mean of a page's keys
     */
    public static long centroidBytes(int headDim) {
        return (long) Float.BYTES * headDim;
    }

    /**
     * @return what its form lost: the mean of |k̂ − k| / |k| and |v̂ − v| / |v|, norms over the page; 0 while it is exact, or
     *     where nobody {@linkplain PagePool#measureLoss asks}
     */
    public double error() {
        return error;
    }

    void error(double lost) {
        error = lost;
    }

    /**
     * @param state of what is known of its tokens, not negative: another one whenever that changes
     * @param weigh computes the weight, if none of that state is known
     * @return what an error of its values is to be multiplied with
     */
    public double weight(long state, DoubleSupplier weigh) {
        if (weighedAt != state) {
            weight = weigh.getAsDouble();
            weighedAt = state;
        }
        return weight;
    }

    /** The page is written: what was known of it was of other tokens. */
    void forget() {
        weighedAt = -1;
        expertShard = -1;
        centroid = null;
    }

    /** The page goes on in another form. */
    void inherit(PageSummary from) {
        expertShard = from.expertShard;
        centroid = from.centroid;
        weight = from.weight;
        weighedAt = from.weighedAt;
    }

    /**
     * Makes the mean of a page's keys known.
     *
     * @param page a page
     * @param tokens how many tokens it holds
     */
    public static void summarise(Page page, int tokens) {
        if (page.summary().centroid != null) {
            return;
        }
        int width = page.layout().headDim();
        float[] keys = page.decoded(HalfShape.Side.KEYS);
        float[] mean = new float[width];
        for (int at = 0; at < tokens * width; at += width) {
            for (int d = 0; d < width; d++) {
                mean[d] += keys[at + d];
            }
        }
        for (int d = 0; d < width; d++) {
            mean[d] /= tokens;
        }
        page.summary().centroid = mean;
    }
}
