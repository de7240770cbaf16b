package org.pikv4j.attention;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.pikv4j.cache.scheduling.ObservedAttention;

/**
 * Some query rows of one KV head, whose pages are split over parts; whoever finishes last merges, in the parts' order. A part is an
 * {@link AttentionItem}, or what a shard is asked for.
 */
final class AttentionTile {
    private final AttentionWork plan;
    private final int query;
    private final int stride;
    private final int rows;
    private final int position;
    private final boolean weighs;
    private final List<ObservedAttention> told;
    private SlotRanges read = new SlotRanges(0);
    private final List<Weighed> weighed = new ArrayList<>();
    private final AtomicInteger remaining = new AtomicInteger();
    private int firstEntry;
    private int parts;

    /** The weights of a part's ranges, one or several for consecutive ones. */
    private record Weighed(SlotRanges ranges, Supplier<List<TokenWeights>> weights) {}

    /**
     * @param plan what it belongs to
     * @param query where the first row's queries for its KV head start
     * @param stride from one row's queries to the next
     * @param rows number of rows
     * @param position position of the first row
     * @param told what is told the attention that each token received
     */
    AttentionTile(AttentionWork plan, int query, int stride, int rows, int position, List<ObservedAttention> told) {
        this(plan, query, stride, rows, position, !told.isEmpty(), told);
    }

    /**
     * @param plan what it belongs to
     * @param query where the first row's queries for its KV head start
     * @param stride from one row's queries to the next
     * @param rows number of rows
     * @param position position of the first row
     * @param weighs whether somebody else will {@linkplain #takeWeights take} the weights of the tokens
     */
    AttentionTile(AttentionWork plan, int query, int stride, int rows, int position, boolean weighs) {
        this(plan, query, stride, rows, position, weighs, List.of());
    }

    private AttentionTile(
            AttentionWork plan,
            int query,
            int stride,
            int rows,
            int position,
            boolean weighs,
            List<ObservedAttention> told) {
        this.plan = plan;
        this.query = query;
        this.stride = stride;
        this.rows = rows;
        this.position = position;
        this.weighs = weighs;
        this.told = told;
    }

    /** Fixes what is read, and in how many parts; entries of part s follow those of part s − 1. */
    void split(SlotRanges ranges, int first, int count) {
        read = ranges;
        firstEntry = first;
        parts = count;
        remaining.set(count);
    }

    /** Notes where the weights of the next part will be. */
    void weigh(SlotRanges ranges, Supplier<List<TokenWeights>> weights) {
        if (weighs) {
            weighed.add(new Weighed(ranges, weights));
        }
    }

    AttentionWork plan() {
        return plan;
    }

    boolean weighs() {
        return weighs;
    }

    int rows() {
        return rows;
    }

    /** Position of the first row. */
    int position() {
        return position;
    }

    /** Where a row's queries start. */
    int queryOffset(int row) {
        return query + row * stride;
    }

    /** Index of the first partial, into which the others are merged. */
    int firstEntry() {
        return firstEntry;
    }

    boolean covers(int queryOffset) {
        return queryOffset >= query && (queryOffset - query) % stride == 0 && (queryOffset - query) / stride < rows;
    }

    /** Positions of the tokens that a row reads, given where its queries start. */
    int[] read(int queryOffset) {
        int newest = position + (queryOffset - query) / stride;
        long oldest = (long) newest - plan.spec().window() + 1;
        IntStream.Builder positions = IntStream.builder();
        for (int i = 0; i < read.size(); i++) {
            for (int slot = read.start(i); slot < read.end(i); slot++) {
                int at = read.page(i).position(slot);
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

    /** To be called once for each part, when its partials stand. */
    void complete() {
        if (remaining.decrementAndGet() > 0) {
            return;
        }
        Partials partials = plan.partials();
        for (int i = 0; i < entries(); i++) {
            for (int part = 1; part < parts; part++) {
                partials.merge(firstEntry + i, firstEntry + i + part * entries());
            }
        }
        plan.merged(this);
    }

    /** The weights of all parts, once: they are large. */
    List<TokenWeights> takeWeights() {
        List<TokenWeights> all =
                weighed.stream().flatMap(part -> part.weights().get().stream()).toList();
        weighed.clear();
        return all;
    }

    /** Tells the attention that each token received, once all is merged. */
    void tell() {
        if (told.isEmpty()) {
            return;
        }
        for (Weighed part : weighed) {
            int range = 0;
            for (TokenWeights weights : part.weights().get()) {
                for (int p = 0; p < weights.pages(); p++, range++) {
                    for (ObservedAttention into : told) {
                        addProbabilities(
                                weights,
                                p,
                                into,
                                into.firstTokens()[part.ranges().number(range)]);
                    }
                }
            }
        }
        weighed.clear();
    }

    private void addProbabilities(TokenWeights weights, int page, ObservedAttention into, int at) {
        if (into.peak()) {
            weights.peakProbabilities(plan.partials(), firstEntry, page, into.received(), at);
        } else {
            weights.addProbabilities(
                    plan.partials(), firstEntry, page, 1f / plan.spec().group(), into.received(), at);
        }
    }
}
