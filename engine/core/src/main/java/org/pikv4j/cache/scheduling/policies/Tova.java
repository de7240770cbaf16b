package org.pikv4j.cache.scheduling.policies;

import java.util.Arrays;
import org.pikv4j.cache.storage.TokenColumns;

/**
 * The tokens that the last query attends to most (Oren et al., "Transformers are Multi-State RNNs", arXiv 2401.06104, §4). Here
 * each KV head decides for itself, by the mean over its query heads, where the paper takes the mean over all heads of a layer.
 */
public final class Tova extends ReceivedAttention {

    @Override
    public String name() {
        return "tova";
    }

    @Override
    public int observedQueries() {
        return 1;
    }

    @Override
    public void evicted(TokenColumns columns) {
        Arrays.fill(columns.column(0), 0f);
    }
}
