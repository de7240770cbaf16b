package org.pikv4j.cache.routing.routers;

import java.util.Arrays;
import java.util.Set;
import java.util.stream.IntStream;
import org.pikv4j.cache.routing.ShardRouter;
import org.pikv4j.cache.routing.ShardSignals;
import org.pikv4j.cache.routing.TopShards;
import org.pikv4j.extension.OptionValues;

/**
 * Groups first: those with the largest sum of their two best gates, then the best shards within them (DeepSeek-V3, arXiv 2412.19437,
 * §2.1.2: a query then goes to few places). Shards that follow one another are a group, of equal sizes as far as that goes.
 *
 * <p>Options: {@code groups} (4, at most as many as there are shards), {@code keep} (half of the groups), more where those hold fewer
 * shards than are to be read.
 */
final class Hierarchical implements ShardRouter {
    static final int GROUPS = 4;
    private static final int BEST = 2;

    private final int groups;
    private final int keep;

    /** Keeps half of the groups where {@code keep} is 0. */
    Hierarchical(int groups, int keep) {
        this.groups = groups;
        this.keep = keep;
    }

    @Override
    public String name() {
        return "hierarchical";
    }

    @Override
    public ShardRouter with(OptionValues options) {
        return new Hierarchical(options.number("groups", groups, 1), options.number("keep", keep, 0));
    }

    @Override
    public Set<Need> needs() {
        return Set.of(Need.GATE);
    }

    @Override
    public void score(ShardSignals signals, double[] kept, double[] scores) {
        for (int shard = 0; shard < scores.length; shard++) {
            scores[shard] = signals.gate(shard);
        }
    }

    @Override
    public int[] choose(ShardSignals signals, double[] kept, int k) {
        int shards = signals.shards();
        int count = Math.min(groups, shards);
        double[] scores = new double[shards];
        score(signals, kept, scores);
        double[] ofGroups = new double[count];
        for (int group = 0; group < count; group++) {
            int of = group;
            ofGroups[group] = IntStream.range(0, shards)
                    .filter(shard -> signals.holds(shard) && group(shard, count, shards) == of)
                    .mapToDouble(shard -> scores[shard])
                    .map(score -> -score)
                    .sorted()
                    .limit(BEST)
                    .map(score -> -score)
                    .sum();
        }
        for (int best = keep == 0 ? Math.ceilDiv(count, 2) : Math.min(keep, count); ; best++) {
            int[] open = TopShards.of(ofGroups, group -> holds(signals, group, count), best);
            int[] chosen = TopShards.of(
                    scores,
                    shard -> signals.holds(shard) && Arrays.binarySearch(open, group(shard, count, shards)) >= 0,
                    k);
            if (chosen.length == k || best >= count) {
                return chosen;
            }
        }
    }

    private static boolean holds(ShardSignals signals, int group, int groups) {
        return IntStream.range(0, signals.shards())
                .anyMatch(shard -> signals.holds(shard) && group(shard, groups, signals.shards()) == group);
    }

    private static int group(int shard, int groups, int shards) {
        return (int) ((long) shard * groups / shards);
    }
}
