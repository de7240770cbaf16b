package org.pikv4j.attention;

import java.util.concurrent.atomic.AtomicInteger;

/** Some query rows of one KV head, whose pages are split over items; whoever finishes last merges, in the items' order. */
final class AttentionTile {
    private final AttentionPlan plan;
    private final int firstRow;
    private final int rows;
    private final int position;
    private final int kvHead;
    private final AtomicInteger remaining = new AtomicInteger();
    private int firstEntry;
    private int splits;

    AttentionTile(AttentionPlan plan, int firstRow, int rows, int position, int kvHead) {
        this.plan = plan;
        this.firstRow = firstRow;
        this.rows = rows;
        this.position = position;
        this.kvHead = kvHead;
    }

    /** Fixes the items; entries of split s follow those of split s − 1. */
    void split(int firstEntry, int splits) {
        this.firstEntry = firstEntry;
        this.splits = splits;
        remaining.set(splits);
    }

    AttentionPlan plan() {
        return plan;
    }

    int firstRow() {
        return firstRow;
    }

    int rows() {
        return rows;
    }

    /** Position of the first row. */
    int position() {
        return position;
    }

    int kvHead() {
        return kvHead;
    }

    int entries() {
        return rows * plan.spec().group();
    }

    void complete() {
        if (remaining.decrementAndGet() > 0) {
            return;
        }
        Partials partials = plan.partials();
        int group = plan.spec().group();
        int headDim = plan.spec().headDim();
        for (int i = 0; i < entries(); i++) {
            int into = firstEntry + i;
            for (int s = 1; s < splits; s++) {
                partials.merge(into, into + s * entries());
            }
            int row = firstRow + i / group;
            int head = kvHead * group + i % group;
            partials.normalise(into, plan.out(), row * plan.spec().queryWidth() + head * headDim);
        }
    }
}
