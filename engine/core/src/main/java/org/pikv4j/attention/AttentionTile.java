package org.pikv4j.attention;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.pikv4j.cache.scheduling.ObservedAttention;
import org.pikv4j.cache.storage.PageTable;

/** Some query rows of one KV head, whose pages are split over items; whoever finishes last merges, in the items' order. */
final class AttentionTile {
    private final AttentionPlan plan;
    private final int firstRow;
    private final int rows;
    private final int position;
    private final int kvHead;
    private final PageTable table;
    private final Optional<ObservedAttention> observed;
    private SlotRanges read = new SlotRanges(0);
    private final List<AttentionItem> items = new ArrayList<>();
    private final AtomicInteger remaining = new AtomicInteger();
    private int firstEntry;
    private int splits;

    AttentionTile(
            AttentionPlan plan,
            int firstRow,
            int rows,
            int position,
            int kvHead,
            PageTable table,
            Optional<ObservedAttention> observed) {
        this.plan = plan;
        this.firstRow = firstRow;
        this.rows = rows;
        this.position = position;
        this.kvHead = kvHead;
        this.table = table;
        this.observed = observed;
    }

    boolean observed() {
        return observed.isPresent();
    }

    /** Adds the next item whose weights are wanted, if any are. */
    void observe(AttentionItem item) {
        if (observed.isPresent()) {
            items.add(item);
        }
    }

    /** Fixes what is read, and by how many items; entries of split s follow those of split s − 1. */
    void split(SlotRanges ranges, int firstEntry, int splits) {
        this.read = ranges;
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

    PageTable table() {
        return table;
    }

    boolean covers(int row, int head) {
        return head == kvHead && row >= firstRow && row < firstRow + rows;
    }

    /** Positions of the tokens that a row of the batch reads. */
    int[] read(int row) {
        int newest = position + row - firstRow;
        long oldest = (long) newest - plan.spec().window() + 1;
        IntStream.Builder positions = IntStream.builder();
        for (int i = 0; i < read.size(); i++) {
            for (int slot = read.start(i); slot < read.end(i); slot++) {
                int at = table.page(read.page(i)).position(slot);
                if (at >= oldest && at <= newest) {
                    positions.add(at);
                }
            }
        }
        return positions.build().toArray();
    }

    int entries() {
        return rows * plan.spec().group();
    }

    void complete() {
        if (remaining.decrementAndGet() > 0) {
            return;
        }
        merge();
        observed.ifPresent(this::addProbabilities);
    }

    private void merge() {
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

    private void addProbabilities(ObservedAttention into) {
        int[] firsts = into.firstTokens();
        int range = 0; // items share the ranges out in their order
        for (AttentionItem item : items) {
            TokenWeights weights = item.weights().orElseThrow();
            for (int p = 0; p < item.pageCount(); p++, range++) {
                int at = firsts[read.page(range)];
                if (into.peak()) {
                    weights.peakProbabilities(plan.partials(), firstEntry, p, into.received(), at);
                } else {
                    weights.addProbabilities(
                            plan.partials(), firstEntry, p, 1f / plan.spec().group(), into.received(), at);
                }
            }
            item.forgetWeights();
        }
    }
}
