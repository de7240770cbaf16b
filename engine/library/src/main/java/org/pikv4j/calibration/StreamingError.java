package org.pikv4j.calibration;

import java.util.Arrays;
import org.pikv4j.cache.scheduling.Protection;
import org.pikv4j.decode.AttentionRows;
import org.pikv4j.model.AttentionSpec;

/**
 * What each KV head of a layer loses if its queries see nothing but the first tokens and the newest, those that no policy evicts: the
 * relative square error of its outputs, E‖o − ô‖² over E‖o‖². Heads that lose little are DuoAttention's streaming heads (arXiv
 * 2410.10819, §3.2, which trains a gate for each head to find them). Only queries count that something is hidden from.
 */
final class StreamingError {
    private static final int SINKS = Protection.DEFAULT.sinks();
    private static final int WINDOW = Protection.DEFAULT.window();

    private final AttentionSpec spec;
    /** Rows that are still seen, (token, kvWidth): the sinks, then as many of the newest as a window has at a batch's start. */
    private float[] keys = {};

    private float[] values = {};
    private int held;
    private final double[] lost;
    private final double[] all;

    /**
     * @param spec the layer's attention
     */
    StreamingError(AttentionSpec spec) {
        this.spec = spec;
        this.lost = new double[spec.kvHeads()];
        this.all = new double[spec.kvHeads()];
    }

    void add(AttentionRows rows) {
        if (rows.position() == 0) {
            held = 0;
        }
        int width = spec.kvWidth();
        int before = held;
        held += rows.count();
        keys = Arrays.copyOf(keys, Math.max(keys.length, held * width));
        values = Arrays.copyOf(values, Math.max(values.length, held * width));
        System.arraycopy(rows.keys(), rows.first() * width, keys, before * width, rows.count() * width);
        System.arraycopy(rows.values(), rows.first() * width, values, before * width, rows.count() * width);
        for (int row = 0; row < rows.count(); row++) {
            if (rows.position() + row >= SINKS + WINDOW) {
                for (int head = 0; head < spec.heads(); head++) {
                    compare(rows, row, head, before + row);
                }
            }
        }
        forget();
    }

    private void compare(AttentionRows rows, int row, int head, int self) {
        int d = spec.headDim();
        int kvHead = head / spec.group();
        int query = ((rows.first() + row) * spec.heads() + head) * d;
        int[] seen = new int[SINKS + WINDOW];
        for (int i = 0; i < seen.length; i++) {
            seen[i] = i < SINKS ? i : self - WINDOW + 1 + i - SINKS;
        }
        double[] weights = new double[seen.length];
        double most = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < seen.length; i++) {
            int at = (seen[i] * spec.kvHeads() + kvHead) * d;
            for (int e = 0; e < d; e++) {
                weights[i] += spec.scale() * rows.queries()[query + e] * keys[at + e];
            }
            most = Math.max(most, weights[i]);
        }
        double sum = 0;
        for (int i = 0; i < seen.length; i++) {
            weights[i] = Math.exp(weights[i] - most);
            sum += weights[i];
        }
        for (int e = 0; e < d; e++) {
            double output = 0;
            for (int i = 0; i < seen.length; i++) {
                output += weights[i] / sum * values[(seen[i] * spec.kvHeads() + kvHead) * d + e];
            }
            double exact = rows.attended()[query + e];
            lost[kvHead] += (exact - output) * (exact - output);
            all[kvHead] += exact * exact;
        }
    }

    /** Keeps what the next batch can see. */
    private void forget() {
        int newest = Math.max(SINKS, held - WINDOW + 1);
        if (newest > SINKS) {
            int width = spec.kvWidth();
            int count = held - newest;
            System.arraycopy(keys, newest * width, keys, SINKS * width, count * width);
            System.arraycopy(values, newest * width, values, SINKS * width, count * width);
            held = SINKS + count;
        }
    }

    /**
     * @return one for each KV head; 0 where nothing was hidden from any query
     */
    float[] byHead() {
        float[] errors = new float[lost.length];
        for (int head = 0; head < errors.length; head++) {
            errors[head] = all[head] > 0 ? (float) (lost[head] / all[head]) : 0f;
        }
        return errors;
    }
}
