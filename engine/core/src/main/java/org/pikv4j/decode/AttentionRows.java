package org.pikv4j.decode;

import org.pikv4j.model.AttentionSpec;

/**
 * Consecutive rows of one sequence in one layer, as attention took them and what it made of them. The arrays are the decoder's
 * own: valid during the call that hands them out, and not to be changed. Row r of the span is row {@code first + r} of each.
 *
 * @param layer index of the layer
 * @param spec its attention
 * @param position of the first row in its sequence
 * @param first row of the arrays that is the first of the span
 * @param count rows of the span
 * @param queries after norm and rotation, not scaled: (row, heads, headDim)
 * @param keys after norm and rotation, as they go to the cache: (row, kvHeads, headDim)
 * @param values as they go to the cache: (row, kvHeads, headDim)
 * @param attended the weighted sums of values, before the output projection: (row, heads, headDim)
 * @param read which tokens were attended to
 */
public record AttentionRows(
        int layer,
        AttentionSpec spec,
        int position,
        int first,
        int count,
        float[] queries,
        float[] keys,
        float[] values,
        float[] attended,
        TokensRead read) {

    /** Which tokens were attended to: what is cached, and not left out. */
    @FunctionalInterface
    public interface TokensRead {

        /**
         * @param row a row of the span, from 0
         * @param kvHead index of the KV head
         * @return positions, ascending, that of the row itself included
         */
        int[] positions(int row, int kvHead);
    }
}
