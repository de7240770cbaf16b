package org.pikv4j.calibration;

import org.pikv4j.cache.storage.Residual;
import org.pikv4j.decode.AttentionRows;
import org.pikv4j.model.AttentionSpec;

/**
 * Queries and keys of some tokens of one sequence, in one layer. The tokens stand in runs, spread evenly from the first token on:
 * in a run a query meets its neighbours, across runs what is far, and in the first run the sinks.
 */
final class AttentionSample {
    /** Tokens of a run. */
    private static final int RUN = 16;

    private final AttentionSpec spec;
    private final int[] positions;
    private final float[] queries; // (token, heads, headDim)
    private final float[] keys; // (token, kvHeads, headDim)
    private int taken;

    /**
     * @param spec the layer's attention
     * @param length tokens of the sequence
     * @param most tokens to take
     */
    AttentionSample(AttentionSpec spec, int length, int most) {
        this.spec = spec;
        this.positions = positions(length, most);
        this.queries = new float[Math.multiplyExact(positions.length, spec.queryWidth())];
        this.keys = new float[Math.multiplyExact(positions.length, spec.kvWidth())];
    }

    private static int[] positions(int length, int most) {
        int[] positions = new int[Math.min(length, most)];
        int runs = Math.ceilDiv(positions.length, RUN);
        for (int i = 0; i < positions.length; i++) {
            int run = i / RUN;
            // What is left out of the text lies in equal parts between the runs.
            positions[i] = (int) ((long) run * (length - positions.length) / Math.max(1, runs - 1)) + i;
        }
        return positions;
    }

    /** Takes those of the rows that are wanted; those of a second sequence are not. */
    void add(AttentionRows rows) {
        int end = rows.position() + rows.count();
        while (taken < positions.length && positions[taken] >= rows.position() && positions[taken] < end) {
            int row = rows.first() + positions[taken] - rows.position();
            int queryWidth = spec.queryWidth();
            int kvWidth = spec.kvWidth();
            System.arraycopy(rows.queries(), row * queryWidth, queries, taken * queryWidth, queryWidth);
            System.arraycopy(rows.keys(), row * kvWidth, keys, taken * kvWidth, kvWidth);
            taken++;
        }
    }

    /** Tokens taken. */
    int tokens() {
        return taken;
    }

    /** Whether the query of one token sees the key of another: it is not older than the layer's window, and not newer. */
    boolean sees(int query, int key) {
        long distance = (long) positions[query] - positions[key];
        return distance >= 0 && distance < spec.window();
    }

    /** Whether the key is exact when that query comes, with the cache's settings by default. */
    boolean exact(int query, int key) {
        return positions[query] - positions[key] < Residual.DEFAULT.tokens()
                || positions[key] < Residual.DEFAULT.sinks();
    }

    /** One element of a query. */
    double query(int token, int head, int element) {
        return queries[(token * spec.heads() + head) * spec.headDim() + element];
    }

    /** One element of a key. */
    double key(int token, int kvHead, int element) {
        return keys[(token * spec.kvHeads() + kvHead) * spec.headDim() + element];
    }
}
