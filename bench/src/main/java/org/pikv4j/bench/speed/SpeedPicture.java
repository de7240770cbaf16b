package org.pikv4j.bench.speed;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import javax.imageio.ImageIO;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.style.Styler;

/** Decoding speed over context depth, beside what the read bandwidth allows, and the speed of reading a prompt. */
final class SpeedPicture {
    private static final int LONGEST_NAME = 40;

    private SpeedPicture() {}

    /** The end of a name, where what tells it from others mostly is; a title takes one line. */
    private static String tail(String name) {
        return name.length() <= LONGEST_NAME ? name : "..." + name.substring(name.length() - LONGEST_NAME + 3);
    }

    static void write(SpeedReport report, Path file) throws IOException {
        CategoryChart chart = new CategoryChartBuilder()
                .width(900)
                .height(520)
                .title(tail(report.model()) + ", " + report.backend() + ", KV " + report.kvDtype())
                .xAxisTitle(String.format(
                        Locale.ROOT,
                        "tokens in the cache (a prompt of %,d was read at %,.0f tokens/s)",
                        report.promptTokens(),
                        report.promptTokensPerSecond().median()))
                .yAxisTitle("decoded tokens per second")
                .build();
        chart.getStyler().setLegendPosition(Styler.LegendPosition.OutsideS);
        chart.getStyler().setLegendLayout(Styler.LegendLayout.Horizontal);
        chart.getStyler().setLabelsVisible(true);
        chart.getStyler().setLabelsFontColorAutomaticEnabled(true);
        chart.getStyler().setDecimalPattern("#0.#");
        chart.getStyler().setYAxisMin(0.0);
        List<Integer> depths =
                report.decode().stream().map(SpeedReport.Depth::depth).toList();
        chart.addSeries(
                "measured",
                depths,
                report.decode().stream()
                        .map(depth -> depth.tokensPerSecond().median())
                        .toList());
        chart.addSeries(
                "limit of the read bandwidth",
                depths,
                report.decode().stream()
                        .map(depth -> report.readBandwidth() / (report.activeWeightBytes() + depth.kvBytes()))
                        .toList());
        ImageIO.write(BitmapEncoder.getBufferedImage(chart), "png", file.toFile());
    }
}
