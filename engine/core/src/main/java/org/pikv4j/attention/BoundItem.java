package org.pikv4j.attention;

import org.pikv4j.cache.routing.Candidates;
import org.pikv4j.model.AttentionSpec;

/**
 * The bounds of one row's scores in one KV head, block by block ({@link Candidates#bound}): what a backend computes before a
 * router chooses.
 */
public final class BoundItem {
    private final AttentionPlan plan;
    private final int query;
    private final Candidates candidates;
    private final float[] bounds;

    BoundItem(AttentionPlan plan, int query, Candidates candidates) {
        this.plan = plan;
        this.query = query;
        this.candidates = candidates;
        this.bounds = candidates.bounds(plan.spec().group());
    }

    public AttentionSpec spec() {
        return plan.spec();
    }

    /**
     * @return the queries, rotated: (row of the batch, heads, headDim)
     */
    public float[] queries() {
        return plan.queries();
    }

    /**
     * @return where the row's queries start: (group, headDim)
     */
    public int queryOffset() {
        return query;
    }

    /**
     * @return the blocks, each in a page that has {@linkplain org.pikv4j.cache.storage.KeyBounds bounds}
     */
    public Candidates candidates() {
        return candidates;
    }

    /**
     * @return receives the bounds, times the scale: (block, group)
     */
    public float[] bounds() {
        return bounds;
    }
}
