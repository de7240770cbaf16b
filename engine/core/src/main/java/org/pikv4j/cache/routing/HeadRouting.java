package org.pikv4j.cache.routing;

import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.function.IntToDoubleFunction;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import org.pikv4j.cache.scheduling.AttentionWatcher;
import org.pikv4j.cache.scheduling.ObservedAttention;
import org.pikv4j.cache.scheduling.Protection;
import org.pikv4j.cache.storage.Page;
import org.pikv4j.cache.storage.PageTable;
import org.pikv4j.model.AttentionSpec;

/** A sequence's routing in one layer and KV head: what its shards are known for, and which of them queries read. */
final class HeadRouting implements AttentionWatcher {
    /** Queries in which a running mean forgets all but 1/e. */
    private static final double MEMORY = 32;

    /** A page that every query reads. */
    private static final int ALWAYS = -1;

    private final RouteChoice choice;
    private final int layer;
    private final int kvHead;
    private final int shards;
    private final double[] load;
    private final double[] mass;
    private final double[] miss;
    private final long[] lost; // tokens evicted
    private final double[] kept; // the router's
    private final Map<Integer, Asked> asked = new HashMap<>(); // by position, rows of the batch under way
    private GateScores gates = GateScores.NONE;
    private int[] last = {}; // what the last query chose
    private int firstPosition;

    /** What a row was told to read, and what was known then. */
    private record Asked(ShardSignals signals, int[] chosen) {}

    HeadRouting(RouteChoice choice, int layer, int kvHead, int shards) {
        this.choice = choice;
        this.layer = layer;
        this.kvHead = kvHead;
        this.shards = shards;
        load = new double[shards];
        mass = new double[shards];
        miss = new double[shards];
        lost = new long[shards];
        kept = new double[choice.router().numbers(shards)];
    }

    /** Heap bytes of what is known of the shards: four numbers of each, and the router's. */
    static long bytes(RouteChoice choice, int shards) {
        return Double.BYTES * (4L * shards + choice.router().numbers(shards));
    }

    HeadRouting copy() {
        HeadRouting copy = new HeadRouting(choice, layer, kvHead, shards);
        System.arraycopy(load, 0, copy.load, 0, shards);
        System.arraycopy(mass, 0, copy.mass, 0, shards);
        System.arraycopy(miss, 0, copy.miss, 0, shards);
        System.arraycopy(lost, 0, copy.lost, 0, shards);
        System.arraycopy(kept, 0, copy.kept, 0, kept.length);
        copy.last = last;
        return copy;
    }

    /** Rows arrive, of which the layer's gate says something. */
    void arrive(int position, GateScores of) {
        firstPosition = position;
        gates = of;
        asked.clear();
    }

    /** Which blocks, whole pages, a row reads; ascending. */
    int[] read(Candidates candidates, RoutingCounters counters) {
        long started = System.nanoTime();
        int position = candidates.position();
        Held held = held(candidates.count(), candidates::page, candidates::tokens, position);
        held.shardOf[held.shardOf.length - 1] = ALWAYS; // its own
        ShardSignals signals = signals(held, position, candidates.spec(), candidates.queries(), candidates.query(0));
        int[] chosen = choice.router().choose(signals, kept, choice.k());
        boolean[] reads = new boolean[shards];
        for (int shard : chosen) {
            reads[shard] = true;
        }
        for (int shard = 0; shard < shards; shard++) {
            load[shard] += ((reads[shard] ? 1 : 0) - load[shard]) / MEMORY;
        }
        choice.router().sent(signals, kept, chosen);
        if (watches()) {
            asked.put(position, new Asked(signals, chosen));
        }
        int[] read = IntStream.range(0, held.shardOf.length)
                .filter(b -> held.shardOf[b] == ALWAYS || reads[held.shardOf[b]])
                .toArray();
        int foreseen = (int) Arrays.stream(chosen).filter(this::choseLast).count();
        last = chosen;
        counters.count(candidates, read, chosen, foreseen, System.nanoTime() - started);
        return read;
    }

    private boolean choseLast(int shard) {
        return Arrays.binarySearch(last, shard) >= 0;
    }

    /** Whether the next query will read a page if it chooses as the last one did; all where none has chosen. */
    boolean expects(Page page) {
        int shard = page.summary().expertShard();
        return last.length == 0 || shard == ALWAYS || choseLast(shard);
    }

    /** Pages, what each holds, and the shard that it belongs to. */
    private record Held(Page[] pages, int[] tokens, int[] shardOf) {}

    private Held held(int count, IntFunction<Page> page, IntUnaryOperator tokens, int position) {
        Held held = new Held(new Page[count], new int[count], new int[count]);
        for (int p = 0; p < count; p++) {
            held.pages[p] = page.apply(p);
            held.tokens[p] = tokens.applyAsInt(p);
            held.shardOf[p] = held.tokens[p] == 0 ? ALWAYS : shard(held.pages[p], held.tokens[p], position);
        }
        return held;
    }

    private int shard(Page page, int tokens, int position) {
        Protection always = choice.protection();
        boolean read =
                always.covers(page.position(), position + 1) || always.covers(page.position(tokens - 1), position + 1);
        return read ? ALWAYS : page.summary().expertShard();
    }

    private ShardSignals signals(Held held, int position, AttentionSpec spec, float[] queries, int query) {
        return new ShardSignals(
                layer,
                kvHead,
                position,
                gates.of(position - firstPosition, shards),
                tokens(held),
                errors(held),
                load.clone(),
                mass.clone(),
                miss.clone(),
                new ShardSignals.Contents() {
                    @Override
                    public double[] similarities() {
                        return HeadRouting.this.similarities(held, spec, queries, query);
                    }

                    @Override
                    public double[] sums(IntToDoubleFunction ofPosition) {
                        return HeadRouting.this.sums(held, ofPosition);
                    }
                });
    }

    private int[] tokens(Held held) {
        int[] tokens = new int[shards];
        for (int p = 0; p < held.pages.length; p++) {
            if (held.shardOf[p] != ALWAYS) {
                tokens[held.shardOf[p]] += held.tokens[p];
            }
        }
        return tokens;
    }

    private double[] errors(Held held) {
        int[] tokens = tokens(held);
        double[] error = new double[shards];
        for (int p = 0; p < held.pages.length; p++) {
            int shard = held.shardOf[p];
            if (shard != ALWAYS) {
                error[shard] += held.pages[p].summary().error() * held.tokens[p] / tokens[shard];
            }
        }
        return error;
    }

    private double[] similarities(Held held, AttentionSpec spec, float[] queries, int query) {
        double[] mean = new double[shards];
        double[] best = new double[shards];
        for (int head = 0; head < spec.group(); head++) {
            Arrays.fill(best, Double.NEGATIVE_INFINITY);
            int at = query + head * spec.headDim();
            for (int p = 0; p < held.pages.length; p++) {
                int shard = held.shardOf[p];
                if (shard != ALWAYS) {
                    float[] centroid = held.pages[p].summary().centroid().orElseThrow();
                    float sum = 0;
                    for (int d = 0; d < centroid.length; d++) {
                        sum += centroid[d] * queries[at + d];
                    }
                    best[shard] = Math.max(best[shard], sum * spec.scale());
                }
            }
            addSoftmax(best, 1.0 / spec.group(), mean);
        }
        return mean;
    }

    private double[] sums(Held held, IntToDoubleFunction ofPosition) {
        double[] sums = new double[shards];
        for (int p = 0; p < held.pages.length; p++) {
            for (int slot = 0; slot < held.tokens[p] && held.shardOf[p] != ALWAYS; slot++) {
                sums[held.shardOf[p]] += ofPosition.applyAsDouble(held.pages[p].position(slot));
            }
        }
        return sums;
    }

    private static void addSoftmax(double[] scores, double share, double[] sums) {
        double max = Arrays.stream(scores).max().orElseThrow();
        if (max == Double.NEGATIVE_INFINITY) {
            return;
        }
        double all = 0;
        for (double score : scores) {
            all += Math.exp(score - max);
        }
        for (int i = 0; i < scores.length; i++) {
            sums[i] += share * Math.exp(scores[i] - max) / all;
        }
    }

    private boolean watches() {
        return choice.watches();
    }

    @Override
    public int watchedFrom() {
        return watches() ? 0 : Integer.MAX_VALUE;
    }

    @Override
    public void watch(ObservedAttention seen) {
        PageTable table = seen.table();
        Held held = held(table.size(), table::page, table::tokens, seen.position());
        double[] found = new double[shards];
        for (int p = 0; p < held.pages.length; p++) {
            if (held.shardOf[p] != ALWAYS) {
                int from = seen.firstTokens()[p];
                for (int t = from; t < from + held.tokens[p]; t++) {
                    found[held.shardOf[p]] += seen.received()[t] / seen.rows();
                }
            }
        }
        Asked was = asked.remove(seen.position());
        int[] read = was == null ? IntStream.range(0, shards).toArray() : was.chosen();
        note(tokens(held), read, found, 1 - Math.exp(-seen.rows() / MEMORY));
        int row = seen.rows() - 1;
        ShardSignals signals = was != null
                ? was.signals()
                : signals(held, seen.position() + row, seen.spec(), seen.queries(), seen.query(row));
        choice.router().learn(signals, kept, read, found);
    }

    /** Takes in what was found, which becomes a share of all attention, not of what is paid to what was read. */
    private void note(int[] tokens, int[] read, double[] found, double share) {
        double unread = Arrays.stream(mass).sum();
        for (int shard : read) {
            unread -= mass[shard];
        }
        for (int shard : read) {
            found[shard] *= Math.clamp(1 - unread, 0, 1);
            mass[shard] += share * (found[shard] - mass[shard]);
        }
        for (int shard = 0; shard < shards; shard++) {
            if (tokens[shard] == 0) {
                mass[shard] -= share * mass[shard];
            }
            double gone = mass[shard] * lost[shard] / Math.max(1, tokens[shard]);
            miss[shard] += share * (gone - miss[shard]);
        }
    }

    /** Tokens are about to be evicted. */
    void evicting(PageTable table, BitSet staying) {
        int token = 0;
        for (int p = 0; p < table.evictablePages(); p++) {
            int tokens = table.tokens(p);
            int shard = table.page(p).summary().expertShard();
            if (shard != ALWAYS) {
                lost[shard] += tokens - staying.get(token, token + tokens).cardinality();
            }
            token += tokens;
        }
    }

    /**
     * Adds what {@link CacheTerm} says of each shard.
     *
     * @param table the head's pages
     * @param position of a query
     * @param factor what it is multiplied with
     * @param sums receives it, by shard
     */
    void addTerm(PageTable table, int position, double factor, float[] sums) {
        double[] errors = errors(held(table.size(), table::page, table::tokens, position));
        for (int shard = 0; shard < shards; shard++) {
            sums[shard] += (float) (factor * CacheTerm.DEFAULT.of(mass[shard], miss[shard], errors[shard]));
        }
    }
}
