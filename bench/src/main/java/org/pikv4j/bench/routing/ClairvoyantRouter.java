package org.pikv4j.bench.routing;

import org.pikv4j.bench.quality.ExactAttention;
import org.pikv4j.cache.routing.ShardRouter;
import org.pikv4j.cache.routing.ShardSignals;

/** Knows the exact attention, and chooses the shards that draw most of it: no choice of as many keeps more. */
final class ClairvoyantRouter implements ShardRouter {
    private volatile ExactAttention known = new ExactAttention(0, 0);

    /**
     * @param attention of the question that is asked next
     */
    void foresees(ExactAttention attention) {
        known = attention;
    }

    @Override
    public String name() {
        return "clairvoyant";
    }

    @Override
    public void score(ShardSignals signals, double[] kept, double[] scores) {
        ExactAttention attention = known;
        // What the model says behind the right answer's end is of no account.
        int step = Math.min(signals.position() - attention.position(0), attention.steps() - 1);
        double[] mass =
                signals.sums(position -> attention.probability(signals.layer(), step, signals.kvHead(), position));
        System.arraycopy(mass, 0, scores, 0, scores.length);
    }
}
