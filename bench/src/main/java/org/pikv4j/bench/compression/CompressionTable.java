package org.pikv4j.bench.compression;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.pikv4j.bench.compression.CompressionReport.Row;
import org.pikv4j.bench.recall.RecallScore;

/** The report for people. */
final class CompressionTable {
    private CompressionTable() {}

    static List<String> lines(CompressionReport report) {
        List<String> lines = new ArrayList<>();
        lines.add(String.format(
                Locale.ROOT,
                "%-18s %8s %8s %7s  %7s %7s %7s %7s  %9s %6s %7s %9s",
                "form",
                "payload",
                "in pages",
                "of",
                "K",
                "V",
                "q.k",
                "output",
                "KL",
                "same",
                "recall",
                "encode"));
        lines.add(String.format(
                Locale.ROOT,
                "%-18s %8s %8s %7s  %7s %7s %7s %7s  %9s %6s %7s %9s",
                "",
                "B/token",
                "B/token",
                "bf16",
                "error",
                "error",
                "error",
                "error",
                "(nats)",
                "argmax",
                "",
                "us/token"));
        for (Row row : report.rows()) {
            lines.add(line(row, report.bf16BytesPerToken()));
        }
        lines.add("payload: numbers and scales; in pages: as they are allocated, in whole cache lines");
        lines.add("* no other form has both fewer bytes and a smaller error of the attention output");
        report.latency().ifPresent(model -> speed(report, model, lines));
        return lines;
    }

    private static String line(Row row, double bf16Bytes) {
        FormErrors errors = row.errors();
        return String.format(
                Locale.ROOT,
                "%-18s %8.1f %8.1f %7.3f  %7s %7s %7s %7s  %9.2e %6s %7s %9.1f",
                row.form() + (row.front() ? " *" : ""),
                errors.payloadBytesPerToken(),
                errors.bytesPerToken(),
                errors.bytesPerToken() / bf16Bytes,
                percent(errors.keys()),
                percent(errors.values()),
                percent(errors.scores()),
                percent(errors.output()),
                row.divergence(),
                percent(row.agreement()),
                recall(row.recall()),
                errors.encodeNanosPerToken() / 1e3);
    }

    private static String recall(List<RecallScore> scores) {
        int right = scores.stream().mapToInt(RecallScore::right).sum();
        int total = scores.stream().mapToInt(RecallScore::total).sum();
        return total == 0 ? "-" : right + "/" + total;
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, share < 0.0995 ? "%.2f%%" : "%.1f%%", 100 * share);
    }

    private static void speed(CompressionReport report, LatencyModel model, List<String> lines) {
        Row bf16 = report.baseline();
        lines.add("");
        StringBuilder head = new StringBuilder(String.format(Locale.ROOT, "%-20s", "one query, one layer"));
        for (LatencyModel.Sample sample : bf16.attend()) {
            head.append(String.format(Locale.ROOT, " %32s", sample.tokens() + " tokens, us: read, decoded"));
        }
        lines.add(head.toString());
        for (Row row : report.rows()) {
            StringBuilder line = new StringBuilder(String.format(Locale.ROOT, "%-20s", row.form()));
            for (int i = 0; i < row.attend().size(); i++) {
                double exact = bf16.attend().get(i).seconds();
                double fused = row.attend().get(i).seconds();
                double decoded = row.decoded().get(i).seconds();
                line.append(String.format(
                        Locale.ROOT,
                        " %9.1f (%4.2f) %8.1f (%4.2f)",
                        fused * 1e6,
                        exact / fused,
                        decoded * 1e6,
                        exact / decoded));
            }
            lines.add(line.toString());
        }
        lines.add("multiplied as pages are read, and decoded first; in brackets: speed, " + bf16.form()
                + " as it is read = 1");
        lines.add(String.format(
                Locale.ROOT,
                "T = %s + %s + %.1f us fits these within %.0f%% (rms); read bandwidth %.1f GB/s",
                term("bytes", model.bandwidth(), "GB/s"),
                term("numbers", model.decodeRate(), "G/s"),
                model.fixedSeconds() * 1e6,
                100 * model.relativeError(),
                report.readBandwidth() / 1e9));
    }

    /** A term may have come out as nothing: what was measured does not depend on it. */
    private static String term(String what, double rate, String unit) {
        return Double.isInfinite(rate)
                ? "0 · " + what
                : String.format(Locale.ROOT, "%s / %.2f %s", what, rate / 1e9, unit);
    }
}
