package org.pikv4j.bench.routing;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.pikv4j.cache.routing.RoutingUsage;

/**
 * How often each expert shard was read.
 *
 * @param layers (layer, shard)
 */
record ReadsByShard(List<List<Long>> layers) {

    ReadsByShard minus(ReadsByShard before) {
        List<List<Long>> difference = new ArrayList<>();
        for (int layer = 0; layer < layers.size(); layer++) {
            List<Long> now = layers.get(layer);
            List<Long> then = before.layers.get(layer);
            difference.add(IntStream.range(0, now.size())
                    .mapToObj(shard -> now.get(shard) - then.get(shard))
                    .toList());
        }
        return new ReadsByShard(difference);
    }

    /**
     * @return largest over mean
     */
    double imbalance() {
        return RoutingUsage.imbalance(layers);
    }

    /**
     * @return least over mean
     */
    double leastUse() {
        return mean(layer -> layer.stream().mapToLong(Long::longValue).min().orElseThrow() / average(layer));
    }

    /**
     * @return standard deviation over mean
     */
    double variation() {
        return mean(layer -> {
            double average = average(layer);
            double squares = layer.stream()
                    .mapToDouble(reads -> (reads - average) * (reads - average))
                    .sum();
            return Math.sqrt(squares / layer.size()) / average;
        });
    }

    private double mean(ToDoubleFunction<List<Long>> ofLayer) {
        return layers.stream()
                .filter(layer -> !layer.isEmpty() && average(layer) > 0)
                .mapToDouble(ofLayer)
                .average()
                .orElse(1);
    }

    private static double average(List<Long> layer) {
        return layer.stream().mapToLong(Long::longValue).average().orElseThrow();
    }
}
