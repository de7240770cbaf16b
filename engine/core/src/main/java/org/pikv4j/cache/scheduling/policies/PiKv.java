package org.pikv4j.cache.scheduling.policies;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.pikv4j.cache.scheduling.EvictionPolicy;
import org.pikv4j.cache.scheduling.HeadTokens;
import org.pikv4j.cache.scheduling.ObservedAttention;
import org.pikv4j.cache.scheduling.PolicyOptions;
import org.pikv4j.cache.scheduling.Signal;
import org.pikv4j.cache.storage.TokenColumns;
import org.pikv4j.model.AttentionSpec;

/**
 * The paper's own score (PiKV, arXiv 2508.06526, §2.3): u_t = w_e · (predicted reuse of t + λ · cos(q̄, k_t)).
 *
 * <ul>
 *   <li>Predicted reuse is the running mean of the attention received, decayed by the reuse distance, the queries since t was last used
 *       ({@link Uses}); both halve in {@code half-life} queries. It is measured in its mean over the tokens, so that λ means the same
 *       in every head.
 *   <li>q̄ is the running mean of the queries; the cosine goes from 0 to 1 here, so that a weight cannot turn a bad score into a worse
 *       one.
 *   <li>w_e is what the shard of t's expert earns, attention received for each of its tokens, over what all earn; between a quarter
 *       and four. Until shards are placed, a token's shard is the expert that its gate preferred in its layer.
 *   <li>Near-copies go first: of tokens of one shard whose keys have a cosine above {@code copies}, one stays. A token is compared
 *       with the last few that stayed, which keeps an eviction linear; keys carry their positions' rotation, so that copies far away
 *       from each other would not look alike anyway.
 * </ul>
 *
 * <p>Options: {@code lambda} (0.5), {@code half-life} (256), {@code copies} (0.98).
 */
public final class PiKv implements EvictionPolicy {
    static final double LAMBDA = 0.5;
    static final double HALF_LIFE = 256;
    static final double COPIES = 0.98;
    private static final double MOST_WEIGHT = 4;
    private static final int COMPARED = 4;

    private static final int REUSE = 0;
    private static final int LAST_USE = 1;
    private static final int EXPERT = 2;

    private final double lambda;
    private final double halfLife;
    private final double copies;

    PiKv(double lambda, double halfLife, double copies) {
        this.lambda = lambda;
        this.halfLife = halfLife;
        this.copies = copies;
    }

    @Override
    public String name() {
        return "pikv";
    }

    @Override
    public EvictionPolicy with(PolicyOptions options) {
        return new PiKv(
                options.real("lambda", lambda, 0, 1e6),
                options.real("half-life", halfLife, 1, 1e9),
                options.real("copies", copies, 0, 1));
    }

    @Override
    public int columns() {
        return 3;
    }

    @Override
    public int headNumbers(AttentionSpec spec) {
        return spec.headDim();
    }

    @Override
    public Set<Signal> signals() {
        return Set.of(Signal.ATTENTION, Signal.QUERIES, Signal.EXPERTS);
    }

    @Override
    public int observedQueries() {
        return Integer.MAX_VALUE;
    }

    @Override
    public void observe(TokenColumns columns, ObservedAttention seen) {
        float kept = (float) decay(seen.rows());
        float[] reuse = columns.column(REUSE);
        for (int i = 0; i < seen.received().length; i++) {
            reuse[i] = reuse[i] * kept + Attention.orNothing(seen.received()[i]) / seen.rows() * (1 - kept);
        }
        Uses.note(columns.column(LAST_USE), seen);
        float[] mean = columns.together();
        float share = (1 - kept) / (seen.rows() * seen.spec().group());
        for (int d = 0; d < mean.length; d++) {
            mean[d] *= kept;
        }
        for (int row = 0; row < seen.rows(); row++) {
            for (int g = 0; g < seen.spec().group(); g++) {
                int at = seen.query(row) + g * mean.length;
                for (int d = 0; d < mean.length; d++) {
                    mean[d] += share * seen.queries()[at + d];
                }
            }
        }
    }

    private double decay(double queries) {
        return Math.pow(0.5, queries / halfLife);
    }

    @Override
    public void routed(TokenColumns columns, int[] experts) {
        for (int i = 0; i < experts.length; i++) {
            columns.column(EXPERT)[columns.size() - experts.length + i] = experts[i];
        }
    }

    @Override
    public void truncated(TokenColumns columns, int length) {
        Uses.truncate(columns.column(LAST_USE), length);
    }

    @Override
    public void score(HeadTokens tokens, float[] scores) {
        int d = tokens.headDim();
        int[] positions = tokens.positions();
        float[] lastUse = tokens.columns().column(LAST_USE);
        float[] experts = tokens.columns().column(EXPERT);
        float[] running = tokens.columns().column(REUSE);
        double[] reuse = new double[scores.length];
        double mean = 0;
        for (int i = 0; i < scores.length; i++) {
            double distance = tokens.length() - 1 - Math.max(lastUse[i], positions[i]);
            reuse[i] = running[i] * decay(distance);
            mean += reuse[i] / scores.length;
        }
        float[] keys = tokens.keys();
        double[] query = new double[d];
        for (int i = 0; i < d; i++) {
            query[i] = tokens.columns().together()[i];
        }
        double queryNorm = Math.sqrt(Rows.dot(tokens.columns().together(), 0, d, query));
        Map<Integer, Double> weights = weights(experts, running, scores.length);
        for (int i = 0; i < scores.length; i++) {
            double norms = queryNorm * Rows.norm(keys, i, d);
            double cosine = norms > 0 ? Rows.dot(keys, i, d, query) / norms : 0;
            double predicted = mean > 0 ? reuse[i] / mean : 0;
            scores[i] = (float) (weights.getOrDefault((int) experts[i], 1.0) * (predicted + lambda * (1 + cosine) / 2));
        }
        demoteCopies(keys, d, experts, scores);
    }

    private static Map<Integer, Double> weights(float[] experts, float[] received, int count) {
        Map<Integer, double[]> earned = new HashMap<>(); // attention, tokens
        double all = 0;
        for (int i = 0; i < count; i++) {
            double[] sums = earned.computeIfAbsent((int) experts[i], e -> new double[2]);
            sums[0] += received[i];
            sums[1]++;
            all += received[i];
        }
        double each = all / count;
        Map<Integer, Double> weights = new HashMap<>();
        earned.forEach((expert, sums) ->
                weights.put(expert, each > 0 ? Math.clamp(sums[0] / sums[1] / each, 1 / MOST_WEIGHT, MOST_WEIGHT) : 1));
        return weights;
    }

    private void demoteCopies(float[] keys, int d, float[] experts, float[] scores) {
        Map<Integer, int[]> stayed = new HashMap<>(); // by expert: the last few, and how many there were
        for (int i = scores.length - 1; i >= 0; i--) { // the newest of its kind stays
            int[] last = stayed.computeIfAbsent((int) experts[i], e -> new int[COMPARED + 1]);
            boolean copy = false;
            for (int c = 0; c < Math.min(COMPARED, last[COMPARED]) && !copy; c++) {
                copy = cosine(keys, i, last[c], d) > copies;
            }
            if (copy) {
                scores[i] -= Float.MAX_VALUE / 2;
            } else {
                last[last[COMPARED]++ % COMPARED] = i;
            }
        }
    }

    private static double cosine(float[] keys, int a, int b, int d) {
        double sum = 0;
        for (int i = 0; i < d; i++) {
            sum += (double) keys[a * d + i] * keys[b * d + i];
        }
        double norms = Rows.norm(keys, a, d) * Rows.norm(keys, b, d);
        return norms > 0 ? sum / norms : 0;
    }
}
