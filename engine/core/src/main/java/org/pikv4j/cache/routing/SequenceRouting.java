package org.pikv4j.cache.routing;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.pikv4j.cache.routing.ShardRouter.Need;
import org.pikv4j.cache.scheduling.AttentionWatcher;
import org.pikv4j.cache.storage.Page;
import org.pikv4j.cache.storage.PageSummary;
import org.pikv4j.cache.storage.PageTable;
import org.pikv4j.cache.storage.SequenceCache;

/** Chooses the pages that one sequence's queries read, shard by shard. Layers without a gate read everything. */
public final class SequenceRouting implements PageRouter {
    private final RouteChoice choice;
    private final RoutingCounters counters;
    private final List<Integer> shards; // by layer, 0 without a gate
    private final List<List<HeadRouting>> heads = new ArrayList<>(); // by layer and KV head
    private final Map<Integer, float[]> biases = new HashMap<>(); // by layer, since the last page became full
    private boolean resting;
    private int marked = -1; // length

    /**
     * @param choice how to choose
     * @param experts experts of each layer, 0 for one without a gate
     * @param kvHeads KV heads of each layer
     * @param counters count what is read
     */
    public SequenceRouting(RouteChoice choice, List<Integer> experts, List<Integer> kvHeads, RoutingCounters counters) {
        this(choice, experts.stream().map(choice::shards).toList(), counters);
        for (int layer = 0; layer < experts.size(); layer++) {
            List<HeadRouting> ofLayer = new ArrayList<>();
            for (int head = 0; head < kvHeads.get(layer) && experts.get(layer) > 0; head++) {
                ofLayer.add(new HeadRouting(choice, layer, head, shards.get(layer)));
            }
            heads.add(ofLayer);
        }
    }

    private SequenceRouting(RouteChoice choice, List<Integer> shards, RoutingCounters counters) {
        this.choice = choice;
        this.shards = shards;
        this.counters = counters;
    }

    /**
     * What choosing takes in one layer of a sequence, beside what its {@link TokenExperts} take.
     *
     * @param choice how to choose
     * @param experts experts of the layer, 0 for none
     * @param kvHeads its KV heads
     * @param headDim width of a head
     * @param pages full pages of each of them
     * @return heap bytes: what is known of the shards, and the mean keys of pages, twice, where the router asks for them
     */
    public static long bytes(RouteChoice choice, int experts, int kvHeads, int headDim, long pages) {
        if (experts == 0) {
            return 0;
        }
        long means =
                choice.summarises() ? pages * PageSummary.centroidBytes(headDim) + Centroids.bytes(headDim, pages) : 0;
        return kvHeads * (HeadRouting.bytes(choice, choice.shards(experts)) + means);
    }

    /**
     * @return the same for a copy of the sequence
     */
    public SequenceRouting copy() {
        SequenceRouting copy = new SequenceRouting(choice, shards, counters);
        heads.forEach(ofLayer ->
                copy.heads.add(ofLayer.stream().map(HeadRouting::copy).toList()));
        copy.biases.putAll(biases);
        copy.marked = marked;
        return copy;
    }

    @Override
    public String name() {
        return choice.router().name();
    }

    @Override
    public boolean rowByRow() {
        return true;
    }

    @Override
    public int choosesFrom(int layer, int prompt) {
        return resting || heads.get(layer).isEmpty() ? Integer.MAX_VALUE : choosesFrom(prompt);
    }

    private int choosesFrom(int prompt) {
        return choice.prompt() ? 0 : prompt;
    }

    /**
     * Pages get their shard when they are full, and whoever chooses or learns must not depend on how rows were batched.
     *
     * @param length position of the next row
     * @param prompt tokens that the sequence began with
     * @return whether batches must not reach over the end of a page
     */
    public boolean atPageEnds(int length, int prompt) {
        return choice.watches() || length >= choosesFrom(prompt);
    }

    /**
     * @param layer index of a layer
     * @param position position of a row
     * @param count how many rows there are from there on
     * @param prompt tokens that the sequence began with
     * @return whether somebody asks what the layer's gate says of any of them
     */
    public boolean asksGate(int layer, int position, int count, int prompt) {
        boolean asks = choice.router().needs().contains(Need.GATE)
                && !resting
                && !heads.get(layer).isEmpty();
        return asks && (choice.watches() || position + count > choosesFrom(prompt));
    }

    @Override
    public int[] read(Candidates candidates) {
        return heads.get(candidates.layer()).get(candidates.kvHead()).read(candidates, counters);
    }

    /**
     * A query tends to choose what the one before it chose, which is known long before the next one is.
     *
     * @param layer index of a layer
     * @param kvHead index of a KV head
     * @param page one of its pages
     * @param tokens how many tokens it holds
     * @param position position of the query
     * @return whether the next query is expected to read it
     */
    public boolean expects(int layer, int kvHead, Page page, int tokens, int position) {
        boolean expected = !choice.ahead()
                || resting
                || heads.get(layer).isEmpty()
                || heads.get(layer).get(kvHead).expects(page, tokens, position);
        counters.ahead(expected);
        return expected;
    }

    /**
     * Rows are about to attend.
     *
     * @param layer index of the layer
     * @param position position of the first
     * @param gates what the layer's gate says of them before attention
     */
    public void arrive(int layer, int position, GateScores gates) {
        heads.get(layer).forEach(head -> head.arrive(position, gates));
    }

    /**
     * @param layer index of a layer
     * @param kvHead index of a KV head
     * @return who wants to know how much attention the shards draw there
     */
    public Optional<AttentionWatcher> watcher(int layer, int kvHead) {
        return resting || !choice.watches() || heads.get(layer).isEmpty()
                ? Optional.empty()
                : Optional.of(heads.get(layer).get(kvHead));
    }

    /**
     * @param rests whether queries read everything for a while, and nothing is learnt of them
     */
    public void rest(boolean rests) {
        resting = rests;
    }

    /** Rows have been committed. */
    public void committed() {
        heads.forEach(ofLayer -> ofLayer.forEach(HeadRouting::commit));
    }

    /**
     * Rows have been committed, and pages have become full.
     *
     * @param cache the sequence
     */
    public void pagesFull(SequenceCache cache) {
        biases.clear();
        for (int layer = 0; layer < heads.size(); layer++) {
            for (int head = 0; head < heads.get(layer).size(); head++) {
                summarise(cache, layer, head);
            }
        }
    }

    /**
     * A call begins: if it fails, the sequence becomes as long as it is now, and is to know what it knows now.
     *
     * @param length tokens of the sequence
     */
    public void mark(int length) {
        marked = length;
        heads.forEach(ofLayer -> ofLayer.forEach(HeadRouting::mark));
    }

    /** Rows that have attended are forgotten. */
    public void rolledBack() {
        heads.forEach(ofLayer -> ofLayer.forEach(HeadRouting::rollBack));
    }

    /**
     * The sequence has become shorter.
     *
     * @param before its length
     * @param after its length now
     */
    public void truncated(int before, int after) {
        biases.clear();
        if (after == marked) {
            heads.forEach(ofLayer -> ofLayer.forEach(HeadRouting::toMark));
        } else if (after < before) {
            marked = -1;
            heads.forEach(ofLayer -> ofLayer.forEach(head -> head.truncated((double) after / before)));
        }
    }

    /**
     * Tokens are about to be evicted.
     *
     * @param layer index of the layer
     * @param kvHead index of the KV head
     * @param table its pages
     * @param from the first page that may lose some
     * @param to one past the last
     * @param kept which tokens of these pages stay, counted through
     * @return to be run when they have been
     */
    public Runnable evicting(int layer, int kvHead, PageTable table, int from, int to, BitSet kept) {
        return heads.get(layer).isEmpty()
                ? () -> {}
                : heads.get(layer).get(kvHead).evicting(table, from, to, kept);
    }

    /**
     * Tells full pages apart that are new, or have been written anew. Until then every query reads them.
     *
     * @param cache the sequence
     * @param layer index of the layer
     * @param kvHead index of the KV head
     */
    public void summarise(SequenceCache cache, int layer, int kvHead) {
        if (heads.get(layer).isEmpty()) {
            return;
        }
        PageTable table = cache.table(layer, kvHead);
        for (int p = 0; p < table.size(); p++) {
            Page page = table.page(p);
            if (page.summary().expertShard() < 0 && table.full(p)) {
                page.summary().expertShard(shard(cache, layer, page, table.tokens(p)));
                if (choice.summarises()) {
                    PageSummary.summarise(page, table.tokens(p));
                }
            }
        }
    }

    private int shard(SequenceCache cache, int layer, Page page, int tokens) {
        int of = shards.get(layer);
        if (choice.byPage()) {
            long key = Mixing.mixed(Mixing.mixed(layer) + page.position());
            return (int) Long.remainderUnsigned(key, of);
        }
        int[] votes = cache.experts().orElseThrow().votes(layer, page, tokens);
        int[] sums = new int[of];
        for (int e = 0; e < votes.length; e++) {
            sums[e % of] += votes[e];
        }
        return TokenExperts.most(sums);
    }

    /**
     * What the cache has to say when the model's own gate chooses experts: the same from one full page to the next.
     *
     * @param cache the sequence
     * @param layer index of the layer
     * @param experts experts of the layer
     * @return what is added to the probability of each, if anything is
     */
    public Optional<float[]> expertBias(SequenceCache cache, int layer, int experts) {
        List<HeadRouting> ofLayer = heads.get(layer);
        if (choice.expertBias() == 0 || ofLayer.isEmpty()) {
            return Optional.empty();
        }
        float[] known = biases.get(layer);
        if (known != null) {
            return Optional.of(known);
        }
        float[] sums = new float[experts];
        for (int head = 0; head < ofLayer.size(); head++) {
            ofLayer.get(head)
                    .addTerm(cache.table(layer, head), cache.length(), choice.expertBias() / ofLayer.size(), sums);
        }
        biases.put(layer, sums);
        return Optional.of(sums);
    }
}
