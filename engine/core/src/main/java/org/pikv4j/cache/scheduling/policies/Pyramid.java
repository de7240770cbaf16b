package org.pikv4j.cache.scheduling.policies;

import java.util.Arrays;
import org.pikv4j.cache.scheduling.BudgetShare;
import org.pikv4j.cache.scheduling.EvictionPolicy;
import org.pikv4j.cache.scheduling.PolicyOptions;

/**
 * More for lower layers, less for higher ones, in a straight line, the mean being the budget (Cai et al., "PyramidKV: Dynamic KV
 * Cache Compression based on Pyramidal Information Funneling", arXiv 2406.02069, §3): attention is spread over everything in low
 * layers and narrows down to a few tokens in high ones. Scores are those of the policy that is wrapped, SnapKV by default.
 *
 * <p>Option: {@code floor}, the share of the budget that the highest layer has (0.05, the paper's β = 20).
 */
public final class Pyramid extends Wrapper {
    static final double FLOOR = 0.05;
    private static final double ROUNDING = 1e-9;

    private final double floor;

    Pyramid(EvictionPolicy inner, double floor) {
        super(inner);
        this.floor = floor;
    }

    @Override
    public String name() {
        return "pyramid";
    }

    @Override
    public EvictionPolicy with(PolicyOptions options) {
        return new Pyramid(options.inner(inner), options.real("floor", floor, 0, 1));
    }

    @Override
    EvictionPolicy around(EvictionPolicy other) {
        return new Pyramid(other, floor);
    }

    @Override
    public int[] quotas(BudgetShare share) {
        double least = Math.clamp(floor * share.tokens(), share.least(), share.tokens());
        double most = 2.0 * share.tokens() - least;
        double depth = share.layers() == 1 ? 0.5 : (double) share.layer() / (share.layers() - 1);
        double layer = most - (most - least) * depth;
        int[] quotas = inner.quotas(share);
        if (Arrays.stream(quotas).sum() > share.tokens() * quotas.length) {
            quotas = share.even(); // what goes from layer to layer is this policy's business
        }
        double factor = share.tokens() > share.least() ? (layer - share.least()) / (share.tokens() - share.least()) : 0;
        for (int head = 0; head < quotas.length; head++) {
            quotas[head] = (int) (share.least() + (quotas[head] - share.least()) * factor + ROUNDING);
        }
        return quotas;
    }
}
