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
import org.pikv4j.cache.storage.Page;
import org.pikv4j.cache.storage.PageChoice;
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
    private final Known known;
    private final Known committed; // what was known before the batch under way
    private final Known marked; // what was known before the call under way
    private final Map<Integer, Asked> asked = new HashMap<>(); // by position, rows of the batch under way
    private final Centroids centroids = new Centroids();
    private GateScores gates = GateScores.NONE;
    private int firstPosition;

    /** What is remembered of the queries. */
    private static final class Known {
        final double[] load;
        final double[] mass;
        final double[] miss;
        final double[] lost; // tokens evicted
        final double[] kept; // the router's
        int[] last = {}; // what the last query chose

        Known(int shards, int numbers) {
            load = new double[shards];
            mass = new double[shards];
            miss = new double[shards];
            lost = new double[shards];
            kept = new double[numbers];
        }

        void copy(Known other) {
            System.arraycopy(other.load, 0, load, 0, load.length);
            System.arraycopy(other.mass, 0, mass, 0, mass.length);
            System.arraycopy(other.miss, 0, miss, 0, miss.length);
            System.arraycopy(other.lost, 0, lost, 0, lost.length);
            System.arraycopy(other.kept, 0, kept, 0, kept.length);
            last = other.last;
        }
    }

    /** What a row was told to read, and what was known then. */
    private record Asked(ShardSignals signals, int[] chosen) {}

    HeadRouting(RouteChoice choice, int layer, int kvHead, int shards) {
        this.choice = choice;
        this.layer = layer;
        this.kvHead = kvHead;
        this.shards = shards;
        known = new Known(shards, choice.router().numbers(shards));
        committed = new Known(shards, choice.router().numbers(shards));
        marked = new Known(shards, choice.router().numbers(shards));
    }

    /** Heap bytes of what is known of the shards: four numbers of each, and the router's. */
    static long bytes(RouteChoice choice, int shards) {
        return Double.BYTES * (4L * shards + choice.router().numbers(shards));
    }

    HeadRouting copy() {
        HeadRouting copy = new HeadRouting(choice, layer, kvHead, shards);
        copy.known.copy(known);
        copy.committed.copy(known);
        copy.marked.copy(marked);
        return copy;
    }

    /** What the batch under way has taught is for good. */
    void commit() {
        committed.copy(known);
    }

    /** What is known may be asked for again. */
    void mark() {
        marked.copy(known);
    }

    /** What has been learnt since the mark is for nothing. */
    void toMark() {
        known.copy(marked);
        committed.copy(marked);
    }

    /** It is for nothing. */
    void rollBack() {
        known.copy(committed);
    }

    /** The sequence has become shorter: what was evicted is taken to have been evicted evenly. */
    void truncated(double share) {
        if (share == 0) {
            known.copy(new Known(shards, known.kept.length));
        }
        for (int shard = 0; shard < shards; shard++) {
            known.lost[shard] *= share;
        }
        committed.copy(known);
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
        int[] chosen =
                PageChoice.checked(choice.router(), choice.router().choose(signals, known.kept, choice.k()), shards);
        boolean[] reads = new boolean[shards];
        for (int shard : chosen) {
            reads[shard] = true;
        }
        for (int shard = 0; shard < shards; shard++) {
            known.load[shard] += ((reads[shard] ? 1 : 0) - known.load[shard]) / MEMORY;
        }
        choice.router().sent(signals, known.kept, chosen);
        if (choice.watches()) {
            asked.put(position, new Asked(signals, chosen));
        }
        int[] read = IntStream.range(0, held.shardOf.length)
                .filter(b -> held.shardOf[b] == ALWAYS || reads[held.shardOf[b]])
                .toArray();
        counters.count(candidates, read, chosen, known.last, System.nanoTime() - started);
        known.last = chosen;
        return read;
    }

    private boolean choseLast(int shard) {
        return Arrays.binarySearch(known.last, shard) >= 0;
    }

    /** Whether the next query will read a page if it chooses as the last one did; all where none has chosen. */
    boolean expects(Page page, int tokens, int position) {
        int shard = shard(page, tokens, position);
        return known.last.length == 0 || shard == ALWAYS || choseLast(shard);
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
        return choice.protection().coversAny(page.position(), page.position(tokens - 1), position + 1)
                ? ALWAYS
                : page.summary().expertShard();
    }

    private ShardSignals signals(Held held, int position, AttentionSpec spec, float[] queries, int query) {
        int[] tokens = tokens(held);
        return new ShardSignals(
                layer,
                kvHead,
                position,
                gates.of(position - firstPosition, shards),
                tokens,
                errors(held, tokens),
                known.load.clone(),
                known.mass.clone(),
                known.miss.clone(),
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

    private double[] errors(Held held, int[] tokens) {
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
        centroids.follow(held.pages, spec.headDim());
        for (int head = 0; head < spec.group(); head++) {
            float[] products = centroids.products(queries, query + head * spec.headDim(), held.pages.length);
            Arrays.fill(best, Double.NEGATIVE_INFINITY);
            for (int p = 0; p < held.pages.length; p++) {
                int shard = held.shardOf[p];
                if (shard != ALWAYS) {
                    best[shard] = Math.max(best[shard], products[p] * spec.scale());
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

    @Override
    public int watchedFrom() {
        return choice.watches() ? 0 : Integer.MAX_VALUE;
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
        choice.router().learn(signals, known.kept, read, found);
    }

    /** Takes in what was found, which becomes a share of all attention, not of what is paid to what was read. */
    private void note(int[] tokens, int[] read, double[] found, double share) {
        double[] mass = known.mass;
        double unread = Arrays.stream(mass).sum();
        for (int shard : read) {
            unread -= mass[shard];
        }
        for (int shard : read) {
            found[shard] *= Math.clamp(1 - unread, 0, 1);
            mass[shard] += share * (found[shard] - mass[shard]);
        }
        double[] gone = new double[shards];
        double all = 1;
        for (int shard = 0; shard < shards; shard++) {
            if (tokens[shard] == 0) {
                mass[shard] -= share * mass[shard];
            }
            gone[shard] = mass[shard] * known.lost[shard] / Math.max(1, tokens[shard]);
            all += gone[shard];
        }
        for (int shard = 0; shard < shards; shard++) {
            known.miss[shard] += share * (gone[shard] / all - known.miss[shard]);
        }
    }

    /** What is to be noted of tokens that shall be evicted, once they are. */
    Runnable evicting(PageTable table, int from, int to, BitSet staying) {
        int[] leaving = new int[shards];
        int token = 0;
        for (int p = from; p < to; p++) {
            int tokens = table.tokens(p);
            int shard = table.page(p).summary().expertShard();
            if (shard != ALWAYS) {
                leaving[shard] += tokens - staying.get(token, token + tokens).cardinality();
            }
            token += tokens;
        }
        return () -> {
            for (int shard = 0; shard < shards; shard++) {
                known.lost[shard] += leaving[shard];
            }
            committed.copy(known);
        };
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
        Held held = held(table.size(), table::page, table::tokens, position);
        double[] errors = errors(held, tokens(held));
        for (int shard = 0; shard < shards; shard++) {
            sums[shard] += (float) (factor * CacheTerm.DEFAULT.of(known.mass[shard], known.miss[shard], errors[shard]));
        }
    }
}
