package org.pikv4j.bench.simulate;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.pikv4j.bench.simulate.SimulationReport.Row;

/** The report for people. */
final class SimulationTable {
    private SimulationTable() {}

    static List<String> lines(SimulationReport report) {
        List<String> lines = new ArrayList<>();
        for (SimulationReport.Source trace : report.traces()) {
            lines.add(String.format(
                    Locale.ROOT,
                    "%s: %s, %,d tokens, cut after %,d, %,d steps judged",
                    trace.file(),
                    trace.model(),
                    trace.tokens(),
                    trace.cut(),
                    trace.steps()));
        }
        lines.add("");
        lines.add(String.format(
                Locale.ROOT,
                "%-26s %-5s %7s %7s %9s %8s  %9s %8s %8s",
                "policy",
                "mode",
                "budget",
                "kept",
                "hit rate",
                "mass",
                "hits/best",
                "m./best",
                "gap"));
        double budget = report.rows().getFirst().budget();
        for (Row row : report.rows()) {
            if (row.budget() != budget) {
                lines.add("");
                budget = row.budget();
            }
            lines.add(line(row));
        }
        lines.add(
                "hit rate: top token under the exact softmax still there; mass: of the exact softmax on what is kept");
        lines.add("mode: the budget holds once, at the cut; all the time (held); or it is the share that is read");
        lines.add(
                "best: belady, clairvoyant, as many tokens in each layer and KV head; +: belady-pooled, as many in all;");
        lines.add("      what chooses anew at each step (read) may do better");
        lines.add("");
        reuse(report.reuse(), lines);
        return lines;
    }

    private static String line(Row row) {
        String start = String.format(
                Locale.ROOT,
                "%-26s %-5s %6.1f%% %6.1f%% %9.4f %8.4f",
                row.policy(),
                row.mode().name().toLowerCase(Locale.ROOT),
                100 * row.budget(),
                100 * row.kept(),
                row.hitRate(),
                row.mass());
        return row.isBound()
                ? start
                : start
                        + String.format(
                                Locale.ROOT,
                                "  %9.4f %8.4f %8.4f%s",
                                row.hitRateOfBound(),
                                row.massOfBound(),
                                Math.rint(1e4 * row.massGap()) / 1e4 + 0.0, // no negative zero
                                row.bound().equals(SimulationReport.POOLED) ? " +" : "");
    }

    private static void reuse(Reuse reuse, List<String> lines) {
        lines.add(String.format(
                Locale.ROOT,
                "reuse of pages of %d tokens: %,d reads, %.1f%% of them first ones, which are not counted below",
                reuse.pageTokens(),
                reuse.reads(),
                100.0 * reuse.firstReads() / reuse.reads()));
        lines.add(String.format(Locale.ROOT, "%8s %10s %10s %10s", "S pages", "S/2 to S", "predicted", "measured"));
        for (Reuse.Capacity row : reuse.capacities()) {
            lines.add(String.format(
                    Locale.ROOT,
                    "%8d %9.1f%% %9.1f%% %9.1f%%",
                    row.pages(),
                    100 * row.share(),
                    100 * row.predicted(),
                    100 * row.measured()));
        }
        lines.add(
                "shares of reuse distances from S/2 to S-1 (1: of 0), and below S; hit rate of an LRU list of S pages");
    }
}
