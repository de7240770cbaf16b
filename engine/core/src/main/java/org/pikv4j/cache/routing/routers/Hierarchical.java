package org.pikv4j.cache.routing.routers;

import java.util.Arrays;
import java.util.Set;
import java.util.stream.IntStream;
import org.pikv4j.cache.routing.ShardRouter;
import org.pikv4j.cache.routing.ShardSignals;
import org.pikv4j.cache.routing.TopShards;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.extension.OptionValues;
import org.pikv4j.text.Plural;

/**
 * Groups first: those with the largest sum of their two best gates, then the best shards within them (DeepSeek-V3, arXiv 2412.19437,
 * §2.1.2: a query then goes to few places). Shards that follow one another are a group, of equal sizes as far as that goes.
 *
 * <p>Options: {@code groups} (4, or as many as there are shards), {@code keep} (half of the groups); more are kept where those hold fewer
 * shards than are to be read.
 */
final class Hierarchical implements ShardRouter {
    private static final int GROUPS = 4;
    private static final int BEST = 2;

    private final int groups;
    private final int keep;

    /** 0 for what is usual, which depends on the number of shards. */
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
        return new Hierarchical(
                options.number("groups", groups, GROUPS + ", or one for each shard", 1),
                options.number("keep", keep, "half of the groups", 1));
    }

    @Override
    public void check(int shards) {
        if (groups > shards) {
            throw new InvalidOptionException(
                    "route %s: groups=%d where layers have %s".formatted(name(), groups, Plural.of(shards, "shard")));
        }
        if (keep > groups(shards)) {
            throw new InvalidOptionException(
                    "route %s: keep=%d where there are %s".formatted(name(), keep, Plural.of(groups(shards), "group")));
        }
    }

    private int groups(int shards) {
        return Math.min(groups == 0 ? GROUPS : groups, shards);
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
        int count = groups(shards);
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
        for (int best = keep == 0 ? Math.ceilDiv(count, 2) : keep; ; best++) {
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
