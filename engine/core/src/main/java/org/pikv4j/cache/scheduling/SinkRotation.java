package org.pikv4j.cache.scheduling;

import java.util.Arrays;
import java.util.List;
import org.pikv4j.cache.storage.PageTable;
import org.pikv4j.cache.storage.SequenceCache;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.model.HeadRotation;

/**
 * Turns the keys of the first tokens on by as many positions as are gone behind them, so that queries see them where they would
 * stand if positions were counted within the cache (StreamingLLM, arXiv 2309.17453, §3.2). Each time from the keys as they were at
 * first, which are kept: rounding does not add up.
 */
final class SinkRotation {
    private static final int TURNED = 0;
    private static final int ORIGINALS = 1;

    private final AttentionSpec spec;
    private final HeadRotation rotation;
    private final int sinks;

    /**
     * @param spec the layer's attention
     * @param sinks how many first tokens
     */
    SinkRotation(AttentionSpec spec, int sinks) {
        this.spec = spec;
        this.rotation = new HeadRotation(spec.rope());
        this.sinks = sinks;
    }

    /** How many numbers are kept for each KV head. */
    static int numbers(AttentionSpec spec, int sinks) {
        return ORIGINALS + sinks * spec.headDim();
    }

    /**
     * @param cache the sequence
     * @param layer index of the layer
     * @param head index of the KV head
     */
    void close(SequenceCache cache, int layer, int head) {
        PageTable table = cache.table(layer, head);
        int[] positions = table.positions();
        float[] kept = table.columns().together();
        int first = 0;
        while (first < Math.min(sinks, positions.length) && positions[first] == first) {
            first++;
        }
        int next = first < positions.length ? positions[first] : table.length(); // which is about to come
        int gap = first == sinks ? next - first : 0;
        if (gap == (int) kept[TURNED]) {
            return;
        }
        int width = spec.headDim();
        if (kept[TURNED] == 0) {
            HeadTokens tokens = new HeadTokens(table, spec, layer, head, other -> List.of());
            if (tokens.size() < sinks) {
                return; // they are about to change their form
            }
            System.arraycopy(tokens.keys(), 0, kept, ORIGINALS, sinks * width);
        }
        float[] keys = Arrays.copyOfRange(kept, ORIGINALS, ORIGINALS + sinks * width);
        for (int token = 0; token < first; token++) {
            rotation.turn(keys, token * width, gap);
        }
        if (cache.rewriteKeys(layer, head, keys, first)) {
            kept[TURNED] = gap;
        }
    }
}
