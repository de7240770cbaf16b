package org.pikv4j.bench.quality;

import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.HeatMapChart;
import org.knowm.xchart.HeatMapChartBuilder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.Styler;
import org.pikv4j.bench.quality.QualityReport.Measurement;

/** Quality against bytes, a line for each policy, and which tokens each of them kept. */
final class QualityPictures {
    private static final int WIDTH = 1000;
    private static final int HEIGHT = 640;
    private static final int MOST_COLUMNS = 120;
    private static final int MOST_NAMED_ROWS = 40;

    private QualityPictures() {}

    /**
     * @param title what is shown
     * @param measurements of one file and mode
     * @param axis what the y axis shows
     * @param value the same
     * @param file receives the picture
     */
    static void curves(
            String title, List<Measurement> measurements, String axis, ToDoubleFunction<Measurement> value, Path file)
            throws IOException {
        XYChart chart = new XYChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title(title)
                .xAxisTitle("KiB that a session keeps, or that a step reads of them")
                .yAxisTitle(axis)
                .build();
        chart.getStyler().setLegendPosition(Styler.LegendPosition.OutsideE);
        chart.getStyler().setYAxisMax(1.0);
        chart.getStyler().setXAxisMin(0.0);
        Map<String, List<Measurement>> byPolicy = new LinkedHashMap<>();
        measurements.forEach(m ->
                byPolicy.computeIfAbsent(m.policy(), p -> new ArrayList<>()).add(m));
        byPolicy.forEach((policy, of) -> {
            List<Measurement> points = of.stream()
                    .sorted(Comparator.comparingDouble(QualityPictures::bytes))
                    .toList();
            chart.addSeries(
                    policy,
                    points.stream().map(m -> bytes(m) / 1024).toList(),
                    points.stream().map(value::applyAsDouble).toList());
        });
        write(BitmapEncoder.getBufferedImage(chart), file);
    }

    /** Who keeps everything is judged by what it reads. */
    private static double bytes(Measurement m) {
        return m.keptBytes()
                * Math.min(1, m.tokensRead().mean() / m.tokensKept().mean());
    }

    /**
     * What a policy kept of a document.
     *
     * @param policy its name
     * @param length tokens of the document
     * @param rows names of layers and KV heads
     * @param positions what each of them kept
     */
    record Retained(String policy, int length, List<String> rows, List<int[]> positions) {}

    /**
     * @param retained one panel each
     * @param file receives the picture
     */
    static void retained(List<Retained> retained, Path file) throws IOException {
        List<BufferedImage> panels = retained.stream()
                .map(QualityPictures::panel)
                .map(BitmapEncoder::getBufferedImage)
                .toList();
        int height = panels.stream().mapToInt(BufferedImage::getHeight).sum();
        BufferedImage all = new BufferedImage(WIDTH, height, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = all.createGraphics();
        int y = 0;
        for (BufferedImage panel : panels) {
            graphics.drawImage(panel, 0, y, null);
            y += panel.getHeight();
        }
        graphics.dispose();
        write(all, file);
    }

    private static HeatMapChart panel(Retained retained) {
        int columns = Math.min(MOST_COLUMNS, retained.length());
        int rows = retained.rows().size();
        HeatMapChart chart = new HeatMapChartBuilder()
                .width(WIDTH)
                .height(110 + Math.clamp(14L * rows, 60, 600))
                .title(retained.policy())
                .xAxisTitle("position")
                .build();
        chart.getStyler().setMin(0).setMax(1).setRangeColors(new Color[] {Color.WHITE, new Color(0, 70, 140)});
        chart.getStyler().setXAxisMaxLabelCount(10).setPlotContentSize(1);
        chart.getStyler().setLegendVisible(false);
        chart.getStyler().setYAxisTicksVisible(rows <= MOST_NAMED_ROWS);
        List<Integer> starts = IntStream.range(0, columns)
                .map(c -> start(c, columns, retained.length()))
                .boxed()
                .toList();
        List<Number[]> cells = new ArrayList<>();
        for (int row = 0; row < rows; row++) {
            double[] shares = shares(retained.positions().get(row), columns, retained.length());
            for (int column = 0; column < columns; column++) {
                cells.add(new Number[] {column, rows - 1 - row, shares[column]});
            }
        }
        chart.addSeries("share kept", starts, retained.rows().reversed(), cells);
        return chart;
    }

    private static int start(int column, int columns, int length) {
        return (int) ((long) column * length / columns);
    }

    /** The share of each column's positions that are among those kept. */
    private static double[] shares(int[] kept, int columns, int length) {
        boolean[] there = new boolean[length];
        for (int position : kept) {
            there[position] = true;
        }
        double[] shares = new double[columns];
        for (int column = 0; column < columns; column++) {
            int from = start(column, columns, length);
            int to = start(column + 1, columns, length);
            for (int t = from; t < to; t++) {
                shares[column] += there[t] ? 1.0 / (to - from) : 0;
            }
        }
        return shares;
    }

    private static void write(BufferedImage image, Path file) throws IOException {
        ImageIO.write(image, "png", file.toFile());
    }
}
