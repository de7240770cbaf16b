package org.pikv4j.bench.scaling;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import org.knowm.xchart.XYChart;
import org.pikv4j.bench.Pictures;
import org.pikv4j.memory.ByteSize;

/** Writes and draws a {@link RingReport}. */
record RingTable(String model, RingReport report) {

    List<String> lines() {
        List<String> lines = new ArrayList<>();
        lines.add(String.format(
                Locale.ROOT,
                "bytes of a sequence of %,d tokens by rows S of a page, the mean of %d of random lengths; a page's handle %s",
                report.context(),
                report.sequences(),
                handle()));
        lines.add(
                "shards     S    pages      open      tail   handles     names  messages |  a device  over rows |   paper's M");
        for (RingReport.Row row : report.rows()) {
            lines.add(String.format(
                    Locale.ROOT,
                    "%6d %5d %8.0f %9s %9s %9s %9s %9s | %9s %10s | %11s",
                    row.shards(),
                    row.ring(),
                    row.pages(),
                    size(row.openBytes()),
                    size(row.tailBytes()),
                    size(row.handleBytes()),
                    size(row.nameBytes()),
                    size(row.messageBytes()),
                    size(row.deviceBytes()),
                    size(row.overhead()),
                    size(row.paperBytes())));
        }
        lines.add("");
        if (!drawable()) {
            lines.add(
                    "what a device takes is not known without its handles: --ring-context must be larger to measure them");
            return lines;
        }
        lines.add(
                "where bytes of a device are least: shards, S measured, S* of the paper, S* with the bytes of a handle");
        for (RingReport.Minimum minimum : report.minima()) {
            lines.add(String.format(
                    Locale.ROOT,
                    "%6d %5d %9.1f %9.1f",
                    minimum.shards(),
                    minimum.measuredRing(),
                    minimum.paperRing(),
                    minimum.correctedRing()));
        }
        return lines;
    }

    private String handle() {
        OptionalDouble bytes = report.handleBytes();
        return bytes.isPresent()
                ? String.format(Locale.ROOT, "takes %.0f bytes of heap", bytes.getAsDouble())
                : "is too small to measure here";
    }

    /** Whether there is anything to draw: what a device takes is known. */
    boolean drawable() {
        return report.handleBytes().isPresent();
    }

    XYChart picture() {
        XYChart chart = Pictures.chart(
                "Bytes of a device beyond rows, by rows of a page, " + model + ", " + report.context() + " tokens",
                "rows of a page, S",
                "bytes");
        chart.getStyler().setYAxisLogarithmic(true);
        chart.getStyler().setXAxisLogarithmic(true);
        for (RingReport.Minimum minimum : report.minima()) {
            List<RingReport.Row> rows = report.rows().stream()
                    .filter(row -> row.shards() == minimum.shards())
                    .toList();
            List<Integer> rings = rows.stream().map(RingReport.Row::ring).toList();
            chart.addSeries(
                    "G = " + minimum.shards(),
                    rings,
                    rows.stream()
                            .flatMapToDouble(row -> row.overhead().stream())
                            .boxed()
                            .toList());
            chart.addSeries(
                    "G = " + minimum.shards() + ", paper",
                    rings,
                    rows.stream().map(RingReport.Row::paperBytes).toList());
        }
        return chart;
    }

    private static String size(OptionalDouble bytes) {
        return bytes.isPresent() ? size(bytes.getAsDouble()) : "-";
    }

    private static String size(double bytes) {
        return ByteSize.format(Math.round(bytes));
    }
}
