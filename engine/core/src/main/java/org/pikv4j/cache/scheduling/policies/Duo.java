package org.pikv4j.cache.scheduling.policies;

import java.util.Arrays;
import java.util.BitSet;
import java.util.Optional;
import org.pikv4j.cache.scheduling.BudgetShare;
import org.pikv4j.cache.scheduling.EvictionPolicy;
import org.pikv4j.cache.scheduling.HeadScores;
import org.pikv4j.cache.scheduling.HeadTokens;
import org.pikv4j.cache.scheduling.Highest;
import org.pikv4j.cache.scheduling.PolicyOptions;
import org.pikv4j.error.InvalidOptionException;

/**
 * Retrieval heads keep everything, streaming heads the first tokens and the newest (Xiao et al., "DuoAttention: Efficient
 * Long-Context LLM Inference with Retrieval and Streaming Heads", arXiv 2410.10819, §3): most heads lose nothing if they see no
 * more. Which ones a calibration says, by what each KV head's output loses then; the paper trains a gate for each head to the same
 * end. The share of the heads that lose most are retrieval heads. They share what the others leave of the budget; where that is not
 * all, the oldest tokens go.
 *
 * <p>Option: {@code retrieval}, the share of the KV heads that keep everything (0.5).
 */
public final class Duo implements EvictionPolicy {
    static final double RETRIEVAL = 0.5;

    private final double share;
    private final Optional<boolean[][]> retrieval; // (layer, kvHead)

    Duo(double share, Optional<boolean[][]> retrieval) {
        this.share = share;
        this.retrieval = retrieval;
    }

    @Override
    public String name() {
        return "duo";
    }

    @Override
    public EvictionPolicy with(PolicyOptions options) {
        return new Duo(options.real("retrieval", share, 0, 1), retrieval);
    }

    @Override
    public Optional<EvictionPolicy> fitted() {
        return Optional.of(this);
    }

    @Override
    public EvictionPolicy calibrated(HeadScores heads) {
        float[][] errors = heads.streamingError();
        float[] all = new float[Arrays.stream(errors).mapToInt(e -> e.length).sum()];
        int at = 0;
        for (float[] layer : errors) {
            System.arraycopy(layer, 0, all, at, layer.length);
            at += layer.length;
        }
        BitSet retrieving = Highest.of(all, (int) Math.round(share * all.length));
        boolean[][] classes = new boolean[errors.length][];
        at = 0;
        for (int layer = 0; layer < errors.length; layer++) {
            classes[layer] = new boolean[errors[layer].length];
            for (int head = 0; head < errors[layer].length; head++) {
                classes[layer][head] = retrieving.get(at++);
            }
        }
        return new Duo(share, Optional.of(classes));
    }

    @Override
    public void score(HeadTokens tokens, float[] scores) {
        Positions.newestFirst(tokens, scores);
    }

    @Override
    public int[] quotas(BudgetShare budget) {
        boolean[][] classes = retrieval.orElseThrow(
                () -> new InvalidOptionException("kv-policy duo does not know the heads of this model"));
        int heads = 0;
        int retrieving = 0;
        for (boolean[] layer : classes) {
            heads += layer.length;
            for (boolean head : layer) {
                retrieving += head ? 1 : 0;
            }
        }
        int[] quotas = new int[budget.scores().size()];
        for (int head = 0; head < quotas.length; head++) {
            long left = (long) budget.tokens() * heads - (long) budget.least() * (heads - retrieving);
            quotas[head] = classes[budget.layer()][head] ? (int) (left / retrieving) : budget.least();
        }
        return quotas;
    }
}
