package org.pikv4j.cache.control;

import java.util.List;

/**
 * The controller's log.
 *
 * @param kinds sums over all decisions so far, by kind, in the order in which the first of each came
 * @param latest the newest decisions, the oldest of them first
 * @param forgotten how many older ones are in the sums alone
 */
public record Decisions(List<Sum> kinds, List<Decision> latest, long forgotten) {

    /**
     * @param kind what was done
     * @param decisions how often
     * @param dropped tokens that are gone, of one layer and KV head each
     * @param error what was estimated, in all
     * @param bytes what was freed
     */
    public record Sum(String kind, long decisions, long dropped, double error, long bytes) {
        Sum plus(Decision decision) {
            return new Sum(
                    kind,
                    decisions + 1,
                    dropped + decision.dropped(),
                    error + decision.error(),
                    bytes + decision.bytes());
        }
    }

    public Decisions {
        kinds = List.copyOf(kinds);
        latest = List.copyOf(latest);
    }

    /**
     * @return bytes that all decisions have freed
     */
    public long bytes() {
        return kinds.stream().mapToLong(Sum::bytes).sum();
    }
}
