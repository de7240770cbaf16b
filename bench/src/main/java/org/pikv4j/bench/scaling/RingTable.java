package org.pikv4j.bench.scaling;

import java.util.List;
import java.util.Locale;
import org.knowm.xchart.XYChart;
import org.pikv4j.bench.Pictures;
import org.pikv4j.cli.Output;
import org.pikv4j.memory.ByteSize;

/** Prints and draws a {@link RingReport}. */
record RingTable(String model, RingReport report) {

    void print(Output output) {
        output.println(String.format(
                Locale.ROOT,
                "bytes of a sequence of %,d tokens by rows S of a page, the mean of %d of random lengths; a page's handle takes %.0f bytes"
                        + " of heap",
                report.context(),
                report.sequences(),
                report.handleBytes()));
        output.println(
                "shards     S    pages      open      tail   handles     names  messages |  a device  over rows |   paper's M");
        for (RingReport.Row row : report.rows()) {
            output.println(String.format(
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
        output.println("");
        output.println(
                "where bytes of a device are least: shards, S measured, S* of the paper, S* with the bytes of a handle");
        for (RingReport.Minimum minimum : report.minima()) {
            output.println(String.format(
                    Locale.ROOT,
                    "%6d %5d %9.1f %9.1f",
                    minimum.shards(),
                    minimum.measuredRing(),
                    minimum.paperRing(),
                    minimum.correctedRing()));
        }
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
                    rows.stream().map(RingReport.Row::overhead).toList());
            chart.addSeries(
                    "G = " + minimum.shards() + ", paper",
                    rings,
                    rows.stream().map(RingReport.Row::paperBytes).toList());
        }
        return chart;
    }

    private static String size(double bytes) {
        return ByteSize.format(Math.round(bytes));
    }
}
