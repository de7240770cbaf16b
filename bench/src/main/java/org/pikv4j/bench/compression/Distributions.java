package org.pikv4j.bench.compression;

import org.pikv4j.session.Engine;
import org.pikv4j.session.Session;

/** Next-token distributions of a text, at positions evenly spread over its second half: (position, vocabulary) log-probabilities. */
final class Distributions {
    /** Bytes that they may take. */
    private static final long ROOM = 128L << 20;

    private final int vocabulary;
    private final float[] logProbabilities;

    private Distributions(int vocabulary, float[] logProbabilities) {
        this.vocabulary = vocabulary;
        this.logProbabilities = logProbabilities;
    }

    static Distributions of(Engine engine, int[] ids) {
        int vocabulary = engine.model().config().vocabulary();
        int first = ids.length / 2;
        int most = (int) Math.max(1, ROOM / Float.BYTES / vocabulary);
        int step = Math.max(1, Math.ceilDiv(ids.length - first, most));
        float[] rows = new float[Math.ceilDiv(ids.length - first, step) * vocabulary];
        try (Session session = engine.openSession()) {
            session.logits(ids, (span, index, logits, offset) -> {
                if (index >= first && (index - first) % step == 0) {
                    normalise(logits, offset, vocabulary, rows, (index - first) / step * vocabulary);
                }
            });
        }
        return new Distributions(vocabulary, rows);
    }

    private static void normalise(float[] logits, int offset, int count, float[] out, int at) {
        float max = logits[offset];
        for (int i = 1; i < count; i++) {
            max = Math.max(max, logits[offset + i]);
        }
        double sum = 0;
        for (int i = 0; i < count; i++) {
            sum += Math.exp(logits[offset + i] - max);
        }
        float norm = max + (float) Math.log(sum);
        for (int i = 0; i < count; i++) {
            out[at + i] = logits[offset + i] - norm;
        }
    }

    /** Mean KL(this ‖ other) per position, in nats. */
    double divergence(Distributions other) {
        double sum = 0;
        for (int i = 0; i < logProbabilities.length; i++) {
            sum += Math.exp(logProbabilities[i]) * (logProbabilities[i] - other.logProbabilities[i]);
        }
        return Math.max(0, sum / (logProbabilities.length / (double) vocabulary));
    }

    /** Share of positions whose most likely token is the same. */
    double agreement(Distributions other) {
        int positions = logProbabilities.length / vocabulary;
        int same = 0;
        for (int p = 0; p < positions; p++) {
            same += best(p) == other.best(p) ? 1 : 0;
        }
        return (double) same / positions;
    }

    private int best(int position) {
        int best = 0;
        for (int i = 1; i < vocabulary; i++) {
            if (logProbabilities[position * vocabulary + i] > logProbabilities[position * vocabulary + best]) {
                best = i;
            }
        }
        return best;
    }
}
