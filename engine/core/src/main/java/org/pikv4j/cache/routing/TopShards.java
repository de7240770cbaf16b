package org.pikv4j.cache.routing;

import java.util.Comparator;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/** The best of a few. */
public final class TopShards {
    private TopShards() {}

    /**
     * @param scores scores
     * @param among which may be chosen
     * @param k how many at most
     * @return indices of those with the highest scores, ascending; of equals the first
     */
    public static int[] of(double[] scores, IntPredicate among, int k) {
        return IntStream.range(0, scores.length)
                .filter(among)
                .boxed()
                .sorted(Comparator.comparingDouble((Integer shard) -> -scores[shard]))
                .limit(k)
                .mapToInt(Integer::intValue)
                .sorted()
                .toArray();
    }
}
