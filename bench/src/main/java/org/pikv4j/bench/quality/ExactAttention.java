package org.pikv4j.bench.quality;

import java.util.ArrayList;
import java.util.List;
import org.pikv4j.model.AttentionSpec;

/**
 * What the steps of a question attend to where nothing is forgotten: the exact softmax, its mean over the query heads of each
 * KV head.
 */
public final class ExactAttention {
    private final int document; // tokens before the first step
    private final int steps;
    private final List<Layer> layers = new ArrayList<>();

    /**
     * @param window positions that a query sees, its own included
     * @param kvHeads number of KV heads
     * @param probabilities (step, kvHead, position)
     * @param top the position of the largest of each (step, kvHead)
     */
    private record Layer(int window, int kvHeads, float[] probabilities, int[] top) {}

    /**
     * @param document tokens before the first step
     * @param steps how many tokens attend
     */
    public ExactAttention(int document, int steps) {
        this.document = document;
        this.steps = steps;
    }

    /**
     * Adds the next layer.
     *
     * @param spec its attention
     * @param queries rotated, not scaled: (step, heads, headDim), or more of them
     * @param keys rotated: (position, kvHeads, headDim), those of the steps included, or more
     */
    void add(AttentionSpec spec, float[] queries, float[] keys) {
        int width = document + steps;
        float[] probabilities = new float[Math.multiplyExact(steps * spec.kvHeads(), width)];
        int[] top = new int[steps * spec.kvHeads()];
        double[] weights = new double[width];
        for (int step = 0; step < steps; step++) {
            int position = document + step;
            int from = from(spec.window(), position);
            for (int head = 0; head < spec.heads(); head++) {
                int kvHead = head / spec.group();
                int row = (step * spec.kvHeads() + kvHead) * width;
                double sum = softmax(spec, queries, step, head, keys, from, position, weights);
                for (int t = from; t <= position; t++) {
                    probabilities[row + t] += (float) (weights[t] / sum / spec.group());
                }
            }
            for (int kvHead = 0; kvHead < spec.kvHeads(); kvHead++) {
                top[step * spec.kvHeads() + kvHead] =
                        top(probabilities, (step * spec.kvHeads() + kvHead) * width, from, position);
            }
        }
        layers.add(new Layer(spec.window(), spec.kvHeads(), probabilities, top));
    }

    private static int from(int window, int position) {
        return (int) Math.max(0, (long) position - window + 1);
    }

    /** Leaves e^(score - max) of each position, and returns their sum. */
    private static double softmax(
            AttentionSpec spec, float[] queries, int step, int head, float[] keys, int from, int to, double[] weights) {
        int width = spec.headDim();
        int query = (step * spec.heads() + head) * width;
        int kvHead = head / spec.group();
        double max = Double.NEGATIVE_INFINITY;
        for (int t = from; t <= to; t++) {
            int key = (t * spec.kvHeads() + kvHead) * width;
            float dot = 0f;
            for (int d = 0; d < width; d++) {
                dot += queries[query + d] * keys[key + d];
            }
            weights[t] = dot * spec.scale();
            max = Math.max(max, weights[t]);
        }
        double sum = 0;
        for (int t = from; t <= to; t++) {
            weights[t] = Math.exp(weights[t] - max);
            sum += weights[t];
        }
        return sum;
    }

    private static int top(float[] probabilities, int row, int from, int to) {
        int best = from;
        for (int t = from + 1; t <= to; t++) {
            if (probabilities[row + t] > probabilities[row + best]) {
                best = t;
            }
        }
        return best;
    }

    int layers() {
        return layers.size();
    }

    int kvHeads(int layer) {
        return layers.get(layer).kvHeads();
    }

    /**
     * @return how many tokens attend
     */
    public int steps() {
        return steps;
    }

    /**
     * @return position of a step's token
     */
    public int position(int step) {
        return document + step;
    }

    /**
     * @return how many tokens a step would see if none were forgotten
     */
    int visible(int layer, int step) {
        int position = position(step);
        return position - from(layers.get(layer).window(), position) + 1;
    }

    /**
     * @return position of the token that receives most
     */
    int top(int layer, int step, int kvHead) {
        return layers.get(layer).top()[step * kvHeads(layer) + kvHead];
    }

    /**
     * @return what a token receives; 0 for those that the step does not see, those behind the last step among them
     */
    public float probability(int layer, int step, int kvHead, int position) {
        if (position >= document + steps) {
            return 0; // an answer may outgrow the right one
        }
        return layers.get(layer).probabilities()[(step * kvHeads(layer) + kvHead) * (document + steps) + position];
    }

    /**
     * @return what it takes in memory
     */
    long bytes() {
        return layers.stream()
                .mapToLong(layer -> (long) Float.BYTES * layer.probabilities().length)
                .sum();
    }
}
