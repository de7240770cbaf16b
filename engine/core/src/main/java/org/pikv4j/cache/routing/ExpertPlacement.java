package org.pikv4j.cache.routing;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * The shard of the expert that most of the page's tokens chose (PiKV, arXiv 2508.06526, §3.1), expert e having shard e mod G until
 * loads are known. The paper's own formula, (t mod N_tok) xor (e mod N_exp), leaves the range of shards unless their number is a
 * power of two, and scatters neighbours.
 *
 * <p>{@linkplain #balanced Balanced}, experts are packed by load, and the hottest have several shards among which their pages are
 * shared out by hash (DeepSeek-V3, arXiv 2412.19437, §3.4, and its EPLB: replicate greedily, pack by what is left to each replica).
 *
 * <p>Layers without a gate are placed by hash.
 */
public final class ExpertPlacement implements Placement {
    private final Placement withoutGate = new HashPlacement();
    private final Map<Integer, Map<Integer, List<Integer>>> table; // layer, expert: shards

    /** Expert e has shard e mod G. */
    public ExpertPlacement() {
        this(Map.of());
    }

    private ExpertPlacement(Map<Integer, Map<Integer, List<Integer>>> table) {
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
        List<Integer> open = IntStream.range(0, shards.count())
                .filter(shard -> shards.weight(shard) > 0)
                .boxed()
                .toList();
        List<Integer> known = table.getOrDefault(page.layer(), Map.of()).getOrDefault(expert, List.of()).stream()
                .filter(open::contains)
                .toList();
        return known.isEmpty()
                ? open.get(expert % open.size())
                : known.get((int) Long.remainderUnsigned(HashPlacement.key(page), known.size()));
    }

    /** Some of an expert's pages. */
    private record Replica(int layer, int expert, double bytes) {}

    @Override
    public Placement balanced(List<ExpertLoad> loads, ShardLoads shards) {
        Map<Integer, List<ExpertLoad>> byLayer = new TreeMap<>();
        loads.stream()
                .filter(load -> load.expert() >= 0)
                .forEach(load -> byLayer.computeIfAbsent(load.layer(), layer -> new ArrayList<>())
                        .add(load));
        List<Replica> replicas = new ArrayList<>();
        byLayer.values().forEach(layer -> replicas.addAll(replicated(layer, shards.count())));
        replicas.sort(Comparator.comparingDouble(Replica::bytes).reversed());
        double[] packed = new double[shards.count()];
        Map<Integer, Map<Integer, List<Integer>>> packing = new HashMap<>();
        for (Replica replica : replicas) {
            List<Integer> of = packing.computeIfAbsent(replica.layer(), layer -> new HashMap<>())
                    .computeIfAbsent(replica.expert(), expert -> new ArrayList<>());
            IntStream.range(0, packed.length)
                    .filter(shard -> shards.weight(shard) > 0 && !of.contains(shard))
                    .boxed()
                    .min(Comparator.comparingDouble(shard -> (packed[shard] + replica.bytes()) / shards.weight(shard)))
                    .ifPresent(shard -> {
                        packed[shard] += replica.bytes();
                        of.add(shard);
                    });
        }
        return new ExpertPlacement(packing);
    }

    /** As many replicas more as there are shards, each for the expert whose replicas have most to do; no more than shards for one. */
    private static List<Replica> replicated(List<ExpertLoad> experts, int shards) {
        record Expert(ExpertLoad load, int replicas) {
            double each() {
                return (double) load.bytes() / replicas;
            }
        }
        PriorityQueue<Expert> hottest =
                new PriorityQueue<>(Comparator.comparingDouble(Expert::each).reversed());
        experts.forEach(load -> hottest.add(new Expert(load, 1)));
        List<Expert> done = new ArrayList<>();
        for (int more = 0; more < shards && !hottest.isEmpty(); more++) {
            Expert expert = hottest.remove();
            if (expert.replicas() == shards) {
                done.add(expert);
            } else {
                hottest.add(new Expert(expert.load(), expert.replicas() + 1));
            }
        }
        done.addAll(hottest);
        return done.stream()
                .flatMap(expert -> IntStream.range(0, expert.replicas())
                        .mapToObj(r ->
                                new Replica(expert.load().layer(), expert.load().expert(), expert.each())))
                .toList();
    }
}
