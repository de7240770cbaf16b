package org.pikv4j.bench.simulate;

import java.util.List;

/**
 * What came of replaying policies.
 *
 * @param traces what was replayed
 * @param pageTokens tokens per page of the cache
 * @param rows one per budget, way of evicting and policy, the bounds first
 * @param reuse how far apart the reads of pages are
 */
record SimulationReport(List<Source> traces, int pageTokens, List<Row> rows, Reuse reuse) {
    /** The clairvoyant that keeps as many tokens in each layer and KV head. */
    static final String BELADY = "belady";

    /** The clairvoyant that shares tokens out among layers and KV heads as it likes. */
    static final String POOLED = "belady-pooled";

    /**
     * A trace.
     *
     * @param file where it is
     * @param model what ran
     * @param tokens its length
     * @param cut tokens before the cut
     * @param steps steps after it, which are judged
     */
    record Source(String file, String model, int tokens, int cut, int steps) {}

    /** When tokens are evicted. */
    enum Mode {
        /** Once, at the cut. */
        CUT,
        /** Whenever the budget is reached, from the first token on. */
        HELD,
        /** Never: the policy chooses at each step what is read, and the budget is the share of that. */
        READ
    }

    /**
     * A policy under a budget.
     *
     * @param policy as the option spells it, or a bound's name
     * @param mode when tokens were evicted
     * @param budget share of the tokens before the cut, for each layer and KV head
     * @param kept share that was there at the cut, or was read
     * @param hitRate share of (step, layer, KV head) whose top token was still there, or was read
     * @param mass mean share of the exact attention on tokens still there, or read
     * @param bound which clairvoyant it is compared with
     * @param hitRateOfBound its hit rate, as a share of the bound's
     * @param massOfBound its mass, as a share of the bound's
     * @param massGap mass of the bound less its own
     */
    record Row(
            String policy,
            Mode mode,
            double budget,
            double kept,
            double hitRate,
            double mass,
            String bound,
            double hitRateOfBound,
            double massOfBound,
            double massGap) {

        static Row of(String policy, Mode mode, double budget, double kept, Tally tally, String bound, Tally best) {
            return new Row(
                    policy,
                    mode,
                    budget,
                    kept,
                    tally.hitRate(),
                    tally.massKept(),
                    bound,
                    best.hits() == 0 ? 1 : tally.hits() / best.hits(),
                    tally.mass() / best.mass(),
                    best.massKept() - tally.massKept());
        }

        boolean isBound() {
            return policy.equals(BELADY) || policy.equals(POOLED);
        }
    }

    SimulationReport {
        traces = List.copyOf(traces);
        rows = List.copyOf(rows);
    }
}
