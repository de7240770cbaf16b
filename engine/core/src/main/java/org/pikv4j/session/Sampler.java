package org.pikv4j.session;

import java.util.Arrays;
import java.util.BitSet;
import java.util.SplittableRandom;
import org.pikv4j.error.UnusableLogitsException;

/** Draws tokens from logits as {@link GenerationOptions} say. */
final class Sampler {
    private final GenerationOptions options;
    private final SplittableRandom random;
    private final BitSet seen = new BitSet();
    private double[] weights = {}; // of the candidates
    private long[] candidates = {}; // see key()

    Sampler(GenerationOptions options, long seed) {
        this.options = options;
        this.random = new SplittableRandom(seed);
    }

    /** Makes a token subject to the repetition penalty. */
    void see(int token) {
        seen.set(token);
    }

    /**
     * @param logits holds the logits; changed
     * @param offset where they start
     * @param count how many there are
     * @return the token drawn
     */
    int sample(float[] logits, int offset, int count) {
        // Whatever is no number in a forward pass makes all logits so.
        if (Float.isNaN(logits[offset])) {
            throw new UnusableLogitsException();
        }
        penalise(logits, offset, count);
        int token = options.temperature() == 0f ? argmax(logits, offset, count) : draw(logits, offset, count);
        see(token);
        return token;
    }

    private void penalise(float[] logits, int offset, int count) {
        float penalty = options.repetitionPenalty();
        if (penalty == 1f) {
            return;
        }
        for (int t = seen.nextSetBit(0); t >= 0 && t < count; t = seen.nextSetBit(t + 1)) {
            float logit = logits[offset + t];
            logits[offset + t] = logit > 0f ? logit / penalty : logit * penalty;
        }
    }

    private static int argmax(float[] values, int offset, int count) {
        int best = 0;
        for (int i = 1; i < count; i++) {
            if (values[offset + i] > values[offset + best]) {
                best = i;
            }
        }
        return best;
    }

    private int draw(float[] logits, int offset, int count) {
        float max = logits[offset + argmax(logits, offset, count)];
        double total = 0;
        for (int i = 0; i < count; i++) {
            total += weight(logits[offset + i], max);
        }
        int size = collect(logits, offset, count, max, total);
        weights = weights.length < size ? new double[size] : weights;
        double mass = 0;
        for (int i = 0; i < size; i++) {
            weights[i] = weight(logits[offset + token(i)], max);
            mass += weights[i];
        }
        // Top-p is a share of what top-k left; where top-k keeps all, candidates are missing only beyond top-p.
        double nucleus = options.topP() * (options.topK() > 0 ? mass : total);
        int kept = 0;
        double keptMass = 0;
        while (kept < size && (kept == 0 || (keptMass < nucleus && weights[kept] >= options.minP()))) {
            keptMass += weights[kept++];
        }
        double point = random.nextDouble() * keptMass;
        int chosen = 0;
        while (chosen < kept - 1 && (point -= weights[chosen]) >= 0) {
            chosen++;
        }
        return token(chosen);
    }

    private double weight(float logit, float max) {
        return Math.exp((logit - max) / options.temperature());
    }

    private int token(int candidate) {
        return (int) candidates[candidate];
    }

    /** Collects the tokens that can be chosen at all, likeliest first, the lower id first among equals. */
    private int collect(float[] logits, int offset, int count, float max, double total) {
        int topK = options.topK() == 0 ? count : Math.min(options.topK(), count);
        // A token less likely than (1 − p)/count is beyond top-p: all such together weigh less than 1 − p. And one
        // below
        // min-p is out anyway. That spares sorting a large vocabulary.
        double least = options.topK() == 0 ? Math.max(options.minP(), (1.0 - options.topP()) / count * total) : 0;
        float threshold = Math.min(max, (float) (max + options.temperature() * Math.log(least)));
        int room = Math.min(count, Math.max(2 * topK, 1024));
        candidates = candidates.length < room ? new long[room] : candidates;
        int size = 0;
        for (int i = 0; i < count; i++) {
            if (logits[offset + i] < threshold) {
                continue;
            }
            if (size == room) {
                Arrays.sort(candidates, 0, size);
                size = topK;
                threshold = logits[offset + token(size - 1)];
            }
            candidates[size++] = key(logits[offset + i], i);
        }
        Arrays.sort(candidates, 0, size);
        return Math.min(size, topK);
    }

    /** A number that sorts a larger logit, then a lower id, first; its lower half is the id. */
    private static long key(float logit, int id) {
        int bits = Float.floatToIntBits(logit);
        int ascending = bits ^ (bits >> 31 & 0x7fffffff);
        return (long) ~ascending << 32 | id;
    }
}
