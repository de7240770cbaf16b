package org.pikv4j.bench.simulate;

import java.awt.BasicStroke;
import java.awt.Color;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.markers.Marker;
import org.knowm.xchart.style.markers.SeriesMarkers;
import org.pikv4j.bench.Pictures;
import org.pikv4j.bench.simulate.SimulationReport.Mode;
import org.pikv4j.bench.simulate.SimulationReport.Row;

/** What each policy keeps against its budget, and how far apart the reads of pages are. */
final class SimulationPictures {
    private static final BasicStroke DASHED =
            new BasicStroke(2, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 1, new float[] {6, 4}, 0);
    private static final BasicStroke SOLID = new BasicStroke(2);

    /** Neighbours among the hues differ in these. */
    private static final List<Marker> MARKERS = List.of(
            SeriesMarkers.CIRCLE,
            SeriesMarkers.SQUARE,
            SeriesMarkers.TRIANGLE_UP,
            SeriesMarkers.DIAMOND,
            SeriesMarkers.TRIANGLE_DOWN);

    private SimulationPictures() {}

    static void hitRate(SimulationReport report, Path file) throws IOException {
        curves(report, "Hit rate", Row::hitRate, file);
    }

    static void mass(SimulationReport report, Path file) throws IOException {
        curves(report, "Attention mass kept", Row::mass, file);
    }

    private static void curves(SimulationReport report, String what, ToDoubleFunction<Row> value, Path file)
            throws IOException {
        XYChart chart = Pictures.chart(
                what + " against the budget, " + report.traces().getFirst().model(),
                "share of tokens kept or read, for each layer and KV head",
                what.toLowerCase(Locale.ROOT));
        chart.getStyler().setDecimalPattern("0.00");
        chart.getStyler().setXAxisMin(0.0);
        chart.getStyler().setLegendPosition(Styler.LegendPosition.OutsideE); // there may be many
        chart.getStyler().setLegendLayout(Styler.LegendLayout.Vertical);
        List<String> policies =
                report.rows().stream().map(Row::policy).distinct().toList();
        List<String> names =
                report.rows().stream().map(SimulationPictures::name).distinct().toList();
        for (String name : names) {
            List<Row> rows = report.rows().stream()
                    .filter(row -> name(row).equals(name))
                    .sorted(Comparator.comparingDouble(Row::kept))
                    .toList();
            XYSeries series = chart.addSeries(
                    name,
                    rows.stream().map(Row::kept).toList(),
                    rows.stream().map(value::applyAsDouble).toList());
            Row first = rows.getFirst();
            int index = policies.indexOf(first.policy());
            Color colour = colour(index, policies.size());
            series.setLineColor(colour);
            series.setMarkerColor(colour);
            series.setMarker(MARKERS.get(index % MARKERS.size()));
            series.setLineStyle(first.isBound() || first.mode() == Mode.HELD ? DASHED : SOLID);
        }
        Pictures.write(chart, file);
    }

    /** The bounds black and grey, policies all around the circle of hues, the same whatever the mode. */
    private static Color colour(int index, int count) {
        return switch (index) {
            case 0 -> Color.BLACK;
            case 1 -> Color.GRAY;
            default -> Color.getHSBColor((float) (index - 2) / (count - 2), 1f, index % 2 == 0 ? 0.9f : 0.6f);
        };
    }

    private static String name(Row row) {
        return row.mode() == Mode.HELD ? row.policy() + ", held" : row.policy();
    }

    static void reuse(SimulationReport report, Path file) throws IOException {
        List<Reuse.Capacity> rows = report.reuse().capacities();
        XYChart chart = Pictures.chart(
                String.format(
                        Locale.ROOT,
                        "Reuse distances of pages of %d tokens, %s",
                        report.reuse().pageTokens(),
                        report.traces().getFirst().model()),
                "S pages",
                "share of reads, first ones aside");
        chart.getStyler().setDecimalPattern("0.00");
        chart.getStyler().setYAxisMin(0.0);
        chart.getStyler()
                .setXAxisTickLabelsFormattingFunction(
                        x -> x < 0 ? "0" : String.format(Locale.ROOT, "%.0f", Math.pow(2, x)));
        List<Double> logarithms =
                IntStream.range(0, rows.size()).mapToObj(i -> (double) i).toList();
        // A step begins where its distances do, at S/2.
        List<Double> shares =
                new ArrayList<>(rows.stream().map(Reuse.Capacity::share).toList());
        shares.add(shares.getLast());
        XYSeries histogram = chart.addSeries(
                "share of reuse distances from S/2 to S-1",
                IntStream.range(0, shares.size()).mapToObj(i -> i - 1.0).toList(),
                shares);
        histogram.setXYSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.StepArea);
        histogram.setMarker(SeriesMarkers.NONE);
        histogram.setFillColor(new Color(200, 215, 240));
        chart.addSeries(
                        "predicted: reuse distances below S",
                        logarithms,
                        rows.stream().map(Reuse.Capacity::predicted).toList())
                .setMarker(SeriesMarkers.NONE);
        XYSeries measured = chart.addSeries(
                "measured: hits of an LRU list of S pages",
                logarithms,
                rows.stream().map(Reuse.Capacity::measured).toList());
        measured.setXYSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.Scatter);
        measured.setMarker(SeriesMarkers.CIRCLE);
        Pictures.write(chart, file);
    }
}
