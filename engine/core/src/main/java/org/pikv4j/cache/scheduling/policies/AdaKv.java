package org.pikv4j.cache.scheduling.policies;

import java.util.Arrays;
import org.pikv4j.cache.scheduling.BudgetShare;
import org.pikv4j.cache.scheduling.EvictionPolicy;
import org.pikv4j.cache.scheduling.Highest;
import org.pikv4j.cache.scheduling.PolicyOptions;

/**
 * The KV heads of a layer compete for its budget (Feng et al., "Ada-KV: Optimizing KV Cache Eviction by Adaptive Budget Allocation
 * for Efficient LLM Inference", arXiv 2407.11550, §3.3): all their scores are pooled, and a head keeps what is among the best of
 * all, but never less than a floor. Heads that look at a few tokens leave room for those that look at many. Scores are those of
 * the policy that is wrapped, SnapKV by default; they must be comparable between heads, as attention is.
 *
 * <p>Option: {@code floor}, the share of the even quota that every head has (0.2).
 */
public final class AdaKv extends Wrapper {
    static final double FLOOR = 0.2;

    private final double floor;

    AdaKv(EvictionPolicy inner, double floor) {
        super(inner);
        this.floor = floor;
    }

    @Override
    public String name() {
        return "adakv";
    }

    @Override
    public EvictionPolicy with(PolicyOptions options) {
        return new AdaKv(options.inner(inner), options.real("floor", floor, 0, 1));
    }

    @Override
    EvictionPolicy around(EvictionPolicy other) {
        return new AdaKv(other, floor);
    }

    @Override
    public int[] quotas(BudgetShare share) {
        int heads = share.scores().size();
        int tokens =
                Arrays.stream(inner.quotas(share)).sum() / heads; // what the policy that is wrapped gives the layer
        int least = (int) Math.clamp(floor * tokens, share.least(), tokens);
        int[] quotas = new int[heads];
        Arrays.fill(quotas, least);
        // What each head would get beyond its floor, in one order over all heads; among equals the first head comes
        // first.
        int[] headOf = new int
                [share.scores().stream().mapToInt(scores -> scores.length).sum()];
        float[] pooled = new float[headOf.length];
        int count = 0;
        for (int head = heads - 1; head >= 0; head--) {
            float[] sorted = share.scores().get(head).clone();
            Arrays.sort(sorted);
            for (int i = 0; i < sorted.length - least; i++) {
                headOf[count] = head;
                pooled[count++] = sorted[i];
            }
        }
        int free = heads * (tokens - least);
        Highest.of(Arrays.copyOf(pooled, count), free).stream().forEach(chosen -> quotas[headOf[chosen]]++);
        return quotas;
    }
}
