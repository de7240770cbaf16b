package org.pikv4j.bench.compression;

import org.pikv4j.bench.Distributions;
import org.pikv4j.session.Engine;
import org.pikv4j.session.Session;

/** Next-token distributions of a text, at positions evenly spread over its second half. */
final class TextDistributions {
    /** Bytes that they may take. */
    private static final long ROOM = 128L << 20;

    private TextDistributions() {}

    static Distributions of(Engine engine, int[] ids) {
        int vocabulary = engine.model().config().vocabulary();
        int first = ids.length / 2;
        int most = (int) Math.max(1, ROOM / Float.BYTES / vocabulary);
        int step = Math.max(1, Math.ceilDiv(ids.length - first, most));
        Distributions rows = new Distributions(Math.ceilDiv(ids.length - first, step), vocabulary);
        try (Session session = engine.openSession()) {
            session.logits(ids, (span, index, logits, offset) -> {
                if (index >= first && (index - first) % step == 0) {
                    rows.set((index - first) / step, logits, offset);
                }
            });
        }
        return rows;
    }
}
