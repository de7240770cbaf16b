package org.pikv4j.cache.control;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;

/** Writes decisions down: all of them in sums, the newest in full. Safe for use by many threads. */
final class DecisionLog {
    /** Some 4 MiB of them. */
    static final int MOST = 1 << 15;

    private final Map<String, Decisions.Sum> kinds = new LinkedHashMap<>();
    private final Deque<Decision> latest = new ArrayDeque<>();
    private long forgotten;

    synchronized void add(Decision decision) {
        kinds.merge(
                decision.kind(),
                new Decisions.Sum(decision.kind(), 0, 0, 0, 0).plus(decision),
                (sum, one) -> sum.plus(decision));
        latest.addLast(decision);
        if (latest.size() > MOST) {
            latest.removeFirst();
            forgotten++;
        }
    }

    /** Whether memory has been freed. */
    synchronized boolean squeezed() {
        return kinds.values().stream().anyMatch(sum -> sum.bytes() > 0);
    }

    /** Whether tokens have gone. */
    synchronized boolean drops() {
        return kinds.values().stream().anyMatch(sum -> sum.dropped() > 0);
    }

    synchronized Decisions read() {
        return new Decisions(new ArrayList<>(kinds.values()), new ArrayList<>(latest), forgotten);
    }
}
