package org.pikv4j.cache.routing;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * The shard of the expert that most of the page's tokens chose (PiKV, arXiv 2508.06526, §3.1). Until loads are known experts are shared out
 * by number in proportion to the shards' weights: expert e has shard e mod G where those are equal. The paper's own formula, (t mod N_tok) xor (e mod N_exp), leaves the range of shards unless their number is a
 * power of two, and scatters neighbours.
 *
 * <p>{@linkplain #balanced Balanced}, experts are packed by load, and the hottest have several shards among which their pages are
 * shared out by hash (DeepSeek-V3, arXiv 2412.19437, §3.4, and its EPLB: replicate greedily, pack by what is left to each replica).
 * Reading is shared out within each layer, memory over all of them, and the larger load counts. An expert keeps its shard as long as
 * that has no more than its own share, so that little moves.
 *
 * <p>Layers without a gate are placed by hash.
 */
public final class ExpertPlacement implements Placement {
    private static final int[] NONE = {};

    private final Placement withoutGate = new HashPlacement();
    private final Map<Integer, Map<Integer, int[]>> table; // layer, expert: shards

    /** Experts have shards by number. */
    public ExpertPlacement() {
        this(Map.of());
    }

    private ExpertPlacement(Map<Integer, Map<Integer, int[]>> table) {
        this.table = table;
    }

    @Override
    public String name() {
        return "expert";
    }

    @Override
    public int shard(NewPage page, ShardLoads shards) {
        int expert = page.expert();
        if (expert < 0) {
            return withoutGate.shard(page, shards);
        }
        int[] open = open(known(page.layer(), expert), shards);
        if (open.length > 0) {
            return open[(int) Long.remainderUnsigned(HashPlacement.key(page), open.length)];
        }
        return byNumber(expert, shards);
    }

    private int[] known(int layer, int expert) {
        return table.getOrDefault(layer, Map.of()).getOrDefault(expert, NONE);
    }

    private static int[] open(int[] known, ShardLoads shards) {
        for (int shard : known) {
            if (shards.weight(shard) <= 0) {
                return Arrays.stream(known).filter(s -> shards.weight(s) > 0).toArray();
            }
        }
        return known;
    }

    /**
     * Seats are given as Sainte-Laguë gives them, one for each expert, the next to the open shard with the largest weight/(2n+1), which has n
     * already; the first of equals, so that equal shards take turns.
     */
    private static int byNumber(int expert, ShardLoads shards) {
        int[] seats = new int[shards.count()];
        int next = -1;
        for (int e = 0; e <= expert; e++) {
            next = -1;
            for (int shard = 0; shard < seats.length; shard++) {
                double weight = shards.weight(shard);
                if (weight > 0
                        && (next < 0
                                || weight * (2 * seats[next] + 1) > shards.weight(next) * (2 * seats[shard] + 1))) {
                    next = shard;
                }
            }
            seats[next]++;
        }
        return next;
    }

    /**
     * Some of an expert's pages.
     *
     * @param expert the expert
     * @param held a share of the bytes that all layers hold
     * @param inLayer a share of those that its layer holds
     * @param read a share of those that are read in its layer
     */
    private record Replica(int expert, double held, double inLayer, double read) {
        double load() {
            return Math.max(inLayer, read);
        }

        Replica part(int parts) {
            return new Replica(expert, held / parts, inLayer / parts, read / parts);
        }
    }

    @Override
    public Placement balanced(List<ExpertLoad> loads, ShardLoads shards) {
        int[] open = IntStream.range(0, shards.count())
                .filter(shard -> shards.weight(shard) > 0)
                .toArray();
        if (open.length == 0) {
            return new ExpertPlacement();
        }
        Map<Integer, List<ExpertLoad>> byLayer = new TreeMap<>();
        loads.stream()
                .filter(load -> load.expert() >= 0)
                .forEach(load -> byLayer.computeIfAbsent(load.layer(), layer -> new ArrayList<>())
                        .add(load));
        double all = byLayer.values().stream()
                .flatMap(List::stream)
                .mapToLong(ExpertLoad::heldBytes)
                .sum();
        Packing packing = new Packing(shards, open);
        Map<Integer, Map<Integer, int[]>> packed = new HashMap<>();
        byLayer.forEach((layer, ofLayer) -> {
            Map<Integer, int[]> of = new HashMap<>();
            packing.begin(ofLayer, all);
            for (Replica replica : replicas(ofLayer, all, open.length)) {
                int[] known = open(known(layer, replica.expert()), shards);
                int[] preferred = known.length > 0 ? known : new int[] {byNumber(replica.expert(), shards)};
                of.put(replica.expert(), packing.add(replica, of.getOrDefault(replica.expert(), NONE), preferred));
            }
            packed.put(layer, of);
        });
        return new ExpertPlacement(packed);
    }

    /** What a layer has to pack, the largest first. */
    private static List<Replica> replicas(List<ExpertLoad> layer, double all, int shards) {
        double held = layer.stream().mapToLong(ExpertLoad::heldBytes).sum();
        double read = layer.stream().mapToLong(ExpertLoad::readBytes).sum();
        List<Replica> experts = layer.stream()
                .map(load -> new Replica(
                        load.expert(),
                        share(load.heldBytes(), all),
                        share(load.heldBytes(), held),
                        share(load.readBytes(), read)))
                .toList();
        return replicated(experts, shards).stream()
                .sorted(Comparator.comparingDouble(Replica::load).reversed())
                .toList();
    }

    private static double share(long bytes, double all) {
        return all > 0 ? bytes / all : 0;
    }

    /**
     * Shards and what was packed to them, layer by layer: a layer is done when the slowest shard has read its part, so reading is
     * shared out within each; memory is shared out over all.
     */
    private static final class Packing {
        private final ShardLoads shards;
        private final int[] open;
        private final double[] held;
        private final double[] read; // in the layer
        private double heldOfLayers; // up to this one

        Packing(ShardLoads shards, int[] open) {
            this.shards = shards;
            this.open = open;
            this.held = new double[shards.count()];
            this.read = new double[shards.count()];
        }

        void begin(List<ExpertLoad> layer, double all) {
            Arrays.fill(read, 0);
            heldOfLayers +=
                    share(layer.stream().mapToLong(ExpertLoad::heldBytes).sum(), all);
        }

        /** The load of a shard, 1 being its share of all, with a replica more. */
        private double with(Replica replica, int shard) {
            double memory = (held[shard] + replica.held()) / heldOfLayers;
            return Math.max(memory, read[shard] + replica.read()) / shards.weight(shard);
        }

        /**
         * Packs a replica.
         *
         * @param replica what to pack
         * @param of shards that have one of the same expert; they get no other
         * @param preferred shards that had one so far
         * @return {@code of}, and the shard that got this one
         */
        int[] add(Replica replica, int[] of, int[] preferred) {
            int best = best(replica, of, preferred);
            if (best < 0 || with(replica, best) > 1) {
                best = best(replica, of, open); // there is one: no expert has more replicas than there are open shards
            }
            held[best] += replica.held();
            read[best] += replica.read();
            int[] more = Arrays.copyOf(of, of.length + 1);
            more[of.length] = best;
            Arrays.sort(more); // the same shards are the same choice
            return more;
        }

        /** The one with the least load, -1 if there is none. */
        private int best(Replica replica, int[] not, int[] among) {
            return Arrays.stream(among)
                    .filter(shard -> Arrays.stream(not).noneMatch(other -> other == shard))
                    .boxed()
                    .min(Comparator.<Integer>comparingDouble(shard -> with(replica, shard))
                            .thenComparingDouble(shard -> held[shard] / shards.weight(shard)))
                    .orElse(-1);
        }
    }

    /** As many replicas more as there are shards, each for the expert whose replicas have most to do; no more than shards for one. */
    private static List<Replica> replicated(List<Replica> experts, int shards) {
        record Expert(Replica all, int replicas) {
            double each() {
                return all.load() / replicas;
            }
        }
        PriorityQueue<Expert> hottest =
                new PriorityQueue<>(Comparator.comparingDouble(Expert::each).reversed());
        experts.forEach(all -> hottest.add(new Expert(all, 1)));
        List<Expert> done = new ArrayList<>();
        for (int more = 0; more < shards && !hottest.isEmpty(); more++) {
            Expert expert = hottest.remove();
            if (expert.replicas() == shards) {
                done.add(expert);
            } else {
                hottest.add(new Expert(expert.all(), expert.replicas() + 1));
            }
        }
        done.addAll(hottest);
        return done.stream()
                .flatMap(expert -> IntStream.range(0, expert.replicas())
                        .mapToObj(r -> expert.all().part(expert.replicas())))
                .toList();
    }
}
