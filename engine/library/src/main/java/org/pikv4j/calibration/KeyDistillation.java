package org.pikv4j.calibration;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;

/**
 * Finds the basis of one KV head's keys that keeps the attention weights: minimises the mean over sampled queries of
 * KL(softmax(q·K) ‖ softmax(q·K̂)) over the sampled keys that a query sees, by Adam (Kingma and Ba, arXiv 1412.6980, algorithm 1)
 * on small batches. As in the cache, the newest keys and the sinks are exact, so that projected keys must not only be right among
 * themselves. The bias stays the keys' mean.
 *
 * <p>With s = q·k̂ the gradient of a query's loss is p̂ − p; the rest is the chain rule through S = (Q·U)·(D·K)ᵀ. It works in
 * coordinates in which queries and keys are white, so that one rate suits every parameter. Every fourth token's queries are not
 * learned from: the best basis by those is kept, the start among them, and their loss is what is reported.
 */
final class KeyDistillation {
    private static final int STEPS = 250;
    private static final int CHECK_EVERY = 25;
    private static final int BATCH = 64;
    private static final int HELD_OUT = 4;
    private static final double RATE = 0.01;
    private static final double RIDGE = 1e-3;
    private static final long SEED = 0x9E3779B97F4A7C15L;

    private final LayerStatistics layer;
    private final int head;
    private final FittedBasis start;
    private final AttentionSample sample;
    private final Whitening byQueries;
    private final Whitening byKeys;
    private final DMatrixRMaj queries; // white: (token and member, headDim)
    private final DMatrixRMaj keys; // centred and white: (token, headDim)
    private final DMatrixRMaj scores; // q·(k − b): (token and member, token)
    private final float[] target; // p: (token and member, token)
    private final int group;
    private final int rank;
    private double before;
    private double after;

    KeyDistillation(LayerStatistics layer, int head, FittedBasis start) {
        this.layer = layer;
        this.head = head;
        this.start = start;
        this.sample = layer.sample().orElseThrow();
        this.group = layer.spec().group();
        this.rank = start.rank();
        HeadStatistics statistics = layer.heads().get(head);
        byQueries = Whitening.of(statistics.queries().secondMoment(), RIDGE);
        byKeys = Whitening.of(statistics.keys().covariance(), RIDGE);
        DMatrixRMaj plainQueries = plainQueries();
        DMatrixRMaj plainKeys = plainKeys();
        queries = new DMatrixRMaj(plainQueries.numRows, plainQueries.numCols);
        CommonOps_DDRM.multTransB(plainQueries, byQueries.inverse(), queries);
        keys = new DMatrixRMaj(plainKeys.numRows, plainKeys.numCols);
        CommonOps_DDRM.multTransB(plainKeys, byKeys.inverse(), keys);
        scores = new DMatrixRMaj(plainQueries.numRows, plainKeys.numRows);
        CommonOps_DDRM.multTransB(plainQueries, plainKeys, scores);
        target = target();
    }

    private DMatrixRMaj plainQueries() {
        DMatrixRMaj rows = new DMatrixRMaj(sample.tokens() * group, layer.spec().headDim());
        for (int row = 0; row < rows.numRows; row++) {
            for (int i = 0; i < rows.numCols; i++) {
                rows.set(row, i, sample.query(row / group, head * group + row % group, i));
            }
        }
        return rows;
    }

    private DMatrixRMaj plainKeys() {
        DMatrixRMaj rows = new DMatrixRMaj(sample.tokens(), layer.spec().headDim());
        for (int row = 0; row < rows.numRows; row++) {
            for (int i = 0; i < rows.numCols; i++) {
                rows.set(row, i, sample.key(row, head, i) - start.bias()[i]);
            }
        }
        return rows;
    }

    private float[] target() {
        DMatrixRMaj exact = scores.copy();
        float[] weights = new float[exact.getNumElements()];
        for (int row = 0; row < exact.numRows; row++) {
            softmax(exact, row, row);
            for (int key = 0; key < exact.numCols; key++) {
                weights[row * exact.numCols + key] = (float) exact.get(row, key);
            }
        }
        return weights;
    }

    /** Turns scores into weights: zero for what the query does not see. */
    private void softmax(DMatrixRMaj weights, int row, int query) {
        double scale = layer.spec().scale();
        double max = Double.NEGATIVE_INFINITY;
        for (int key = 0; key < weights.numCols; key++) {
            if (sample.sees(query / group, key)) {
                max = Math.max(max, weights.get(row, key));
            }
        }
        double sum = 0;
        for (int key = 0; key < weights.numCols; key++) {
            double weight = sample.sees(query / group, key) ? Math.exp(scale * (weights.get(row, key) - max)) : 0;
            weights.set(row, key, weight);
            sum += weight;
        }
        for (int key = 0; key < weights.numCols; key++) {
            weights.set(row, key, weights.get(row, key) / sum);
        }
    }

    /** Mean loss of held-out queries, in nats, of the basis that was started from. */
    double before() {
        return before;
    }

    /** The same of the basis that was found. */
    double after() {
        return after;
    }

    FittedBasis run() {
        int width = layer.spec().headDim();
        DMatrixRMaj down = new DMatrixRMaj(rank, width);
        CommonOps_DDRM.mult(start.down(), byKeys.factor(), down);
        DMatrixRMaj up = new DMatrixRMaj(width, rank);
        CommonOps_DDRM.multTransA(byQueries.factor(), start.up(), up);
        balance(down, up);
        before = heldOutLoss(down, up);
        after = before;
        FittedBasis best = start;
        Adam downs = new Adam(down);
        Adam ups = new Adam(up);
        int[] order = learned();
        SplittableRandom random = new SplittableRandom(SEED + 1000L * layer.layer() + head);
        int next = order.length;
        for (int step = 0; step < STEPS && order.length > 0; step++) {
            int[] batch = new int[Math.min(BATCH, order.length)];
            for (int i = 0; i < batch.length; i++) {
                if (next == order.length) {
                    shuffle(order, random);
                    next = 0;
                }
                batch[i] = order[next++];
            }
            double rate = RATE * 0.5 * (1 + Math.cos(Math.PI * step / STEPS));
            learn(batch, down, up, downs, ups, rate);
            if ((step + 1) % CHECK_EVERY == 0) {
                double loss = heldOutLoss(down, up);
                if (loss < after) {
                    after = loss;
                    best = inModelCoordinates(down, up);
                }
            }
        }
        return best;
    }

    /** Rows of D and columns of U of equal length: the product is the same, and neither runs ahead of the other. */
    private void balance(DMatrixRMaj down, DMatrixRMaj up) {
        for (int r = 0; r < rank; r++) {
            double downs = 0;
            double ups = 0;
            for (int i = 0; i < down.numCols; i++) {
                downs += down.get(r, i) * down.get(r, i);
                ups += up.get(i, r) * up.get(i, r);
            }
            double factor = downs > 0 && ups > 0 ? Math.pow(ups / downs, 0.25) : 1;
            for (int i = 0; i < down.numCols; i++) {
                down.set(r, i, down.get(r, i) * factor);
                up.set(i, r, up.get(i, r) / factor);
            }
        }
    }

    private FittedBasis inModelCoordinates(DMatrixRMaj down, DMatrixRMaj up) {
        DMatrixRMaj plainDown = new DMatrixRMaj(down.numRows, down.numCols);
        CommonOps_DDRM.mult(down, byKeys.inverse(), plainDown);
        DMatrixRMaj plainUp = new DMatrixRMaj(up.numRows, up.numCols);
        CommonOps_DDRM.multTransA(byQueries.inverse(), up, plainUp);
        return new FittedBasis(plainDown, plainUp, start.bias()).normalised();
    }

    private int[] learned() {
        int[] rows = new int[queries.numRows];
        int count = 0;
        for (int row = 0; row < rows.length; row++) {
            if (!heldOut(row)) {
                rows[count++] = row;
            }
        }
        return Arrays.copyOf(rows, count);
    }

    /** By token, so that the heads of a group do not learn from what another is judged by. */
    private boolean heldOut(int row) {
        return row / group % HELD_OUT == HELD_OUT - 1;
    }

    private static void shuffle(int[] order, SplittableRandom random) {
        for (int i = order.length - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int swapped = order[i];
            order[i] = order[j];
            order[j] = swapped;
        }
    }

    /** p̂ of some queries: (batch, token). */
    private DMatrixRMaj weights(DMatrixRMaj projected, DMatrixRMaj stored, int[] batch) {
        DMatrixRMaj weights = new DMatrixRMaj(batch.length, stored.numRows);
        CommonOps_DDRM.multTransB(projected, stored, weights);
        for (int i = 0; i < batch.length; i++) {
            for (int key = 0; key < keys.numRows; key++) {
                if (sample.exact(batch[i] / group, key)) {
                    weights.set(i, key, scores.get(batch[i], key));
                }
            }
            softmax(weights, i, batch[i]);
        }
        return weights;
    }

    private DMatrixRMaj stored(DMatrixRMaj down) {
        DMatrixRMaj stored = new DMatrixRMaj(keys.numRows, rank);
        CommonOps_DDRM.multTransB(keys, down, stored);
        return stored;
    }

    private DMatrixRMaj rows(int[] batch) {
        DMatrixRMaj rows = new DMatrixRMaj(batch.length, queries.numCols);
        for (int i = 0; i < batch.length; i++) {
            System.arraycopy(queries.data, batch[i] * queries.numCols, rows.data, i * queries.numCols, queries.numCols);
        }
        return rows;
    }

    private void learn(int[] batch, DMatrixRMaj down, DMatrixRMaj up, Adam downs, Adam ups, double rate) {
        DMatrixRMaj asked = rows(batch);
        DMatrixRMaj projected = new DMatrixRMaj(batch.length, rank);
        CommonOps_DDRM.mult(asked, up, projected);
        DMatrixRMaj stored = stored(down);
        DMatrixRMaj gradient = weights(projected, stored, batch); // becomes (p̂ − p)·scale / batch where k is projected
        double factor = layer.spec().scale() / batch.length;
        for (int i = 0; i < batch.length; i++) {
            for (int key = 0; key < keys.numRows; key++) {
                float p = target[batch[i] * keys.numRows + key];
                boolean exact = sample.exact(batch[i] / group, key);
                gradient.set(i, key, exact ? 0 : (gradient.get(i, key) - p) * factor);
            }
        }
        DMatrixRMaj ofProjected = new DMatrixRMaj(batch.length, rank);
        CommonOps_DDRM.mult(gradient, stored, ofProjected);
        DMatrixRMaj ofUp = new DMatrixRMaj(up.numRows, rank);
        CommonOps_DDRM.multTransA(asked, ofProjected, ofUp);
        DMatrixRMaj ofStored = new DMatrixRMaj(keys.numRows, rank);
        CommonOps_DDRM.multTransA(gradient, projected, ofStored);
        DMatrixRMaj ofDown = new DMatrixRMaj(rank, down.numCols);
        CommonOps_DDRM.multTransA(ofStored, keys, ofDown);
        downs.step(down, ofDown, rate);
        ups.step(up, ofUp, rate);
    }

    private double heldOutLoss(DMatrixRMaj down, DMatrixRMaj up) {
        DMatrixRMaj stored = stored(down);
        double sum = 0;
        int count = 0;
        for (int token = HELD_OUT - 1; token < sample.tokens(); token += HELD_OUT) {
            int[] batch = new int[group];
            for (int member = 0; member < group; member++) {
                batch[member] = token * group + member;
            }
            DMatrixRMaj projected = new DMatrixRMaj(group, rank);
            CommonOps_DDRM.mult(rows(batch), up, projected);
            DMatrixRMaj weights = weights(projected, stored, batch);
            for (int member = 0; member < group; member++) {
                sum += divergence(batch[member], weights, member);
                count++;
            }
        }
        return count == 0 ? 0 : sum / count;
    }

    private double divergence(int query, DMatrixRMaj weights, int row) {
        double sum = 0;
        for (int key = 0; key < keys.numRows; key++) {
            double p = target[query * keys.numRows + key];
            if (p > 0) {
                // A weight that underflows counts as the least there is: large, and finite.
                sum += p * Math.log(p / Math.max(weights.get(row, key), Double.MIN_NORMAL));
            }
        }
        return sum;
    }

    /** The state of Adam for one matrix. */
    private static final class Adam {
        private static final double BETA1 = 0.9;
        private static final double BETA2 = 0.99;
        private static final double EPSILON = 1e-10;

        private final double[] first;
        private final double[] second;
        private double power1 = 1;
        private double power2 = 1;

        Adam(DMatrixRMaj parameters) {
            first = new double[parameters.getNumElements()];
            second = new double[parameters.getNumElements()];
        }

        void step(DMatrixRMaj parameters, DMatrixRMaj gradient, double rate) {
            power1 *= BETA1;
            power2 *= BETA2;
            for (int i = 0; i < first.length; i++) {
                double g = gradient.data[i];
                first[i] = BETA1 * first[i] + (1 - BETA1) * g;
                second[i] = BETA2 * second[i] + (1 - BETA2) * g * g;
                double mean = first[i] / (1 - power1);
                double square = second[i] / (1 - power2);
                parameters.data[i] -= rate * mean / (Math.sqrt(square) + EPSILON);
            }
        }
    }
}
