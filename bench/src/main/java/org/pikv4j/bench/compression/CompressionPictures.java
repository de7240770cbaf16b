package org.pikv4j.bench.compression;

import java.awt.Color;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.knowm.xchart.AnnotationText;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.markers.SeriesMarkers;
import org.pikv4j.bench.Pictures;
import org.pikv4j.bench.compression.CompressionReport.Row;

/** Error against bytes with the best front marked, and speed against compression beside the latency model. */
final class CompressionPictures {
    private CompressionPictures() {}

    static void errors(CompressionReport report, Path file) throws IOException {
        List<Row> rows = report.rows().stream()
                .filter(row -> row.errors().output() > 0)
                .sorted(Comparator.comparingDouble(row -> row.errors().bytesPerToken()))
                .toList();
        XYChart chart = Pictures.chart(
                "Error of the attention output against bytes, " + report.model(),
                "bytes per token, of bf16",
                "relative error");
        chart.getStyler().setYAxisLogarithmic(true);
        chart.getStyler().setXAxisTickLabelsFormattingFunction(x -> String.format(Locale.ROOT, "%.2f", Math.pow(2, x)));
        points(chart, "other forms", rows.stream().filter(row -> !row.front()).toList(), report, Color.GRAY, false);
        points(chart, "best front", rows.stream().filter(Row::front).toList(), report, Color.BLUE, true);
        Labels labels = new Labels(chart, 0.025, 1.12);
        for (Row row : rows) {
            labels.add(row.form(), share(row, report), row.errors().output());
        }
        Pictures.write(chart, file);
    }

    /** The logarithm to base 2: forms crowd at the lower end. */
    private static double share(Row row, CompressionReport report) {
        return Math.log(row.errors().bytesPerToken() / report.bf16BytesPerToken()) / Math.log(2);
    }

    private static void points(
            XYChart chart, String name, List<Row> rows, CompressionReport report, Color colour, boolean line) {
        if (rows.isEmpty()) {
            return;
        }
        XYSeries series = chart.addSeries(
                name,
                rows.stream().map(row -> share(row, report)).toList(),
                rows.stream().map(row -> row.errors().output()).toList());
        series.setXYSeriesRenderStyle(line ? XYSeries.XYSeriesRenderStyle.Line : XYSeries.XYSeriesRenderStyle.Scatter);
        series.setMarker(SeriesMarkers.CIRCLE);
        series.setMarkerColor(colour);
        series.setLineColor(colour);
    }

    /** At the greatest length; bf16 has to be among the forms. */
    static void speed(CompressionReport report, LatencyModel model, Path file) throws IOException {
        LatencyModel.Sample bf16 = report.baseline().attend().getLast();
        XYChart chart = Pictures.chart(
                String.format(
                        Locale.ROOT,
                        "Speed of attention against compression, %,d tokens, %s",
                        bf16.tokens(),
                        report.backend()),
                "compression ratio (bf16 = 1)",
                "speed-up over bf16");
        List<Row> rows = report.rows().stream()
                .sorted(Comparator.comparingDouble(
                        row -> -row.attend().getLast().bytes()))
                .toList();
        List<LatencyModel.Sample> samples =
                rows.stream().map(row -> row.attend().getLast()).toList();
        List<Double> ratios =
                samples.stream().map(sample -> bf16.bytes() / sample.bytes()).toList();
        List<Double> speedUps = samples.stream()
                .map(sample -> bf16.seconds() / sample.seconds())
                .toList();
        List<Double> decoded = rows.stream()
                .map(row -> bf16.seconds() / row.decoded().getLast().seconds())
                .toList();
        double slow = model.seconds(bf16.bytes(), bf16.elements());
        List<Double> predictions = samples.stream()
                .map(sample -> slow / model.seconds(sample.bytes(), sample.elements()))
                .toList();
        chart.addSeries("multiplied as it is read", ratios, speedUps)
                .setXYSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.Scatter);
        chart.addSeries("decoded first", ratios, decoded).setXYSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.Scatter);
        chart.addSeries("latency model", ratios, predictions).setMarker(SeriesMarkers.NONE);
        Labels labels = new Labels(chart, 0.045, 1.025);
        for (int i = 0; i < rows.size(); i++) {
            labels.add(rows.get(i).form(), ratios.get(i), speedUps.get(i));
        }
        Pictures.write(chart, file);
    }

    /** Names beside points, each on the nearest line, above or below, on which it covers no other. */
    private static final class Labels {
        private record Label(double x, double y, int length) {}

        private final XYChart chart;
        private final double character;
        private final double line;
        private final List<Label> taken = new ArrayList<>();

        /**
         * @param character width of a character, in units of the x axis
         * @param line height of a line: the factor by which the next one's y is larger
         */
        Labels(XYChart chart, double character, double line) {
            this.chart = chart;
            this.character = character;
            this.line = line;
        }

        void add(String text, double x, double y) {
            // 1, −1, 2, −2, … lines away.
            Label label = IntStream.iterate(1, k -> k > 0 ? -k : 1 - k)
                    .mapToObj(k -> new Label(x, y * Math.pow(line, k), text.length()))
                    .filter(candidate -> taken.stream().noneMatch(other -> covers(candidate, other)))
                    .findFirst()
                    .orElseThrow();
            taken.add(label);
            chart.addAnnotation(new AnnotationText(text, x, label.y(), false));
        }

        private boolean covers(Label one, Label other) {
            return Math.abs(one.x() - other.x()) < character * (one.length() + other.length() + 1) / 2
                    && Math.abs(Math.log(one.y() / other.y())) < 0.99 * Math.log(line);
        }
    }
}
