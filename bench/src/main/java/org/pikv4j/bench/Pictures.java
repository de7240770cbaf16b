package org.pikv4j.bench;

import java.io.IOException;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.style.Styler;

/** What all pictures of curves have in common. */
public final class Pictures {
    private static final int WIDTH = 1000;
    private static final int HEIGHT = 640;

    private Pictures() {}

    /**
     * @param title above the picture
     * @param x below the x axis
     * @param y beside the y axis
     * @return an empty chart, with room for a legend below
     */
    public static XYChart chart(String title, String x, String y) {
        XYChart chart = new XYChartBuilder()
                .width(WIDTH)
                .height(HEIGHT)
                .title(title)
                .xAxisTitle(x)
                .yAxisTitle(y)
                .build();
        chart.getStyler().setLegendPosition(Styler.LegendPosition.OutsideS);
        chart.getStyler().setLegendLayout(Styler.LegendLayout.Horizontal);
        return chart;
    }

    /**
     * @param chart what to draw
     * @param file the PNG to write
     */
    public static void write(XYChart chart, Path file) throws IOException {
        ImageIO.write(BitmapEncoder.getBufferedImage(chart), "png", file.toFile());
    }
}
