package org.pikv4j.cache.control;

import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/**
 * Frees bytes where they cost the least error: again and again the cheapest step of any curve, until it is enough. That is the best
 * there is for the bytes it frees in all, since the steps of each curve are those of its lower convex hull (Shoham and Gersho,
 * "Efficient bit allocation for an arbitrary set of quantizers", IEEE Transactions on Acoustics, Speech, and Signal Processing 36,
 * 1988).
 *
 * @param levels of each curve
 * @param bytes freed in all
 * @param error what they cost in all
 */
record LeastError(int[] levels, long bytes, double error) {

    private record Step(int curve, int to, double price) {}

    /**
     * @param curves what can be given up; of equally cheap ones the first goes first
     * @param wanted bytes to free
     * @return what to give up: enough, or all there is
     */
    static LeastError of(List<Curve> curves, long wanted) {
        PriorityQueue<Step> steps =
                new PriorityQueue<>(Comparator.comparingDouble(Step::price).thenComparingInt(Step::curve));
        int[] levels = new int[curves.size()];
        for (int i = 0; i < levels.length; i++) {
            offer(steps, curves, i, 0);
        }
        long bytes = 0;
        double error = 0;
        while (bytes < wanted && !steps.isEmpty()) {
            Step step = steps.poll();
            Curve curve = curves.get(step.curve());
            int from = levels[step.curve()];
            levels[step.curve()] = step.to();
            bytes += curve.bytes()[step.to()] - curve.bytes()[from];
            error += curve.errors()[step.to()] - curve.errors()[from];
            offer(steps, curves, step.curve(), step.to());
        }
        return new LeastError(levels, bytes, error);
    }

    private static void offer(PriorityQueue<Step> steps, List<Curve> curves, int index, int level) {
        Curve curve = curves.get(index);
        int to = curve.next(level);
        if (to > level) {
            steps.add(new Step(index, to, curve.price(level, to)));
        }
    }
}
