package org.pikv4j.bench.quality;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.pikv4j.bench.quality.QualityReport.Estimate;
import org.pikv4j.bench.quality.QualityReport.Measurement;
import org.pikv4j.memory.ByteSize;

/** The measurements of one file and mode, for people. */
final class QualityTable {
    private QualityTable() {}

    static List<String> lines(Mode mode, List<Measurement> measurements) {
        Measurement first = measurements.getFirst();
        int width =
                measurements.stream().mapToInt(m -> m.policy().length()).max().orElse(0) + 1;
        List<String> lines = new ArrayList<>();
        lines.add("%s, %s: %s".formatted(first.file(), mode.label(), mode.description()));
        lines.add("%d documents, %d questions".formatted(first.documents(), first.questions()));
        lines.addAll(recall(measurements, width));
        lines.add("");
        lines.addAll(details(measurements, width));
        return lines;
    }

    private static List<String> recall(List<Measurement> measurements, int width) {
        Map<String, StringBuilder> rows = new LinkedHashMap<>();
        StringBuilder head = new StringBuilder(String.format(Locale.ROOT, "%-" + width + "s", "recall"));
        List<Double> budgets = measurements.stream()
                .skip(1) // the exact cache has none
                .map(Measurement::budget)
                .distinct()
                .toList();
        budgets.forEach(budget -> head.append(String.format(Locale.ROOT, " %8s", Contender.plain(budget))));
        for (Measurement measurement : measurements) {
            rows.computeIfAbsent(
                            measurement.policy(),
                            policy -> new StringBuilder(String.format(Locale.ROOT, "%-" + width + "s", policy)))
                    .append(String.format(
                            Locale.ROOT, " %8s", percent(measurement.recall().mean())));
        }
        List<String> lines = new ArrayList<>();
        lines.add(head.toString());
        rows.values().forEach(row -> lines.add(row.toString()));
        return lines;
    }

    private static List<String> details(List<Measurement> measurements, int width) {
        List<String> lines = new ArrayList<>();
        lines.add(String.format(
                Locale.ROOT,
                "%-" + width + "s %6s %7s %10s  %-12s %-12s %-14s %6s %6s %8s %8s %6s",
                "",
                "budget",
                "right",
                "95% (%)",
                "hit rate",
                "mass kept",
                "KL (nats)",
                "kept",
                "read",
                "KV kept",
                "KV peak",
                "tok/s"));
        for (Measurement m : measurements) {
            lines.add(String.format(
                    Locale.ROOT,
                    "%-" + width + "s %6s %7s %10s  %-12s %-12s %-14s %6s %6s %8s %8s %6.0f",
                    m.policy(),
                    m.policy().equals(QualityPlan.EXACT) ? "-" : Contender.plain(m.budget()),
                    m.right() + "/" + m.questions(),
                    String.format(
                            Locale.ROOT,
                            "%.1f-%.1f",
                            100 * m.recall().low(),
                            100 * m.recall().high()),
                    share(m.hitRate()),
                    share(m.attentionMass()),
                    divergence(m.divergence()),
                    percent(m.tokensKept().mean()),
                    percent(m.tokensRead().mean()),
                    ByteSize.format(Math.round(m.keptBytes())),
                    ByteSize.format(m.peakBytes()),
                    m.decodeTokensPerSecond()));
        }
        return lines;
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.1f%%", 100 * share);
    }

    private static String share(Estimate estimate) {
        return String.format(Locale.ROOT, "%.3f ±%.3f", estimate.mean(), reach(estimate));
    }

    private static String divergence(Estimate estimate) {
        return String.format(Locale.ROOT, "%.1e ±%.0e", estimate.mean(), reach(estimate));
    }

    /** Of an interval that need not be even: its longer side. */
    private static double reach(Estimate estimate) {
        return Math.max(estimate.high() - estimate.mean(), estimate.mean() - estimate.low());
    }
}
