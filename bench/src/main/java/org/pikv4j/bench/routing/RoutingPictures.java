package org.pikv4j.bench.routing;

import java.awt.Color;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.style.Styler;
import org.pikv4j.bench.Pictures;
import org.pikv4j.bench.routing.RoutingReport.Measured;

/** The report as pictures. */
final class RoutingPictures {
    /** Dark enough for lines on white, and as many as there are routers. */
    private static final Color[] COLOURS = {
        new Color(0x1f77b4),
        new Color(0xff7f0e),
        new Color(0x9467bd),
        new Color(0x2ca02c),
        new Color(0xd62728),
        new Color(0xbc9a00),
        new Color(0xe31ac2),
        new Color(0x8c564b),
        new Color(0x606060),
        new Color(0x17a2b8),
        new Color(0x000000)
    };

    private RoutingPictures() {}

    /** Attention mass over bytes read, a point for each k. */
    static void mass(RoutingReport.File file, String by, Path path) throws IOException {
        XYChart chart = chart(
                "Attention mass on what queries read, pages by " + by + ", " + file.name(),
                "share of the bytes of keys and values that a query reads",
                "share of the exact attention");
        List<Measured> rows = measured(file).filter(row -> row.by().equals(by)).toList();
        for (String router : rows.stream().map(Measured::router).distinct().toList()) {
            List<Measured> points = rows.stream()
                    .filter(row -> row.router().equals(router))
                    .sorted(Comparator.comparingDouble(Measured::bytesShare))
                    .toList();
            chart.addSeries(
                    router,
                    points.stream().map(Measured::bytesShare).toList(),
                    points.stream().map(Measured::mass).toList());
        }
        Pictures.write(chart, path);
    }

    /** Largest reads over mean, document by document, of the first k and kind of shards. */
    static void loads(RoutingReport.File file, Path path) throws IOException {
        Measured first = file.rows().getFirst().measured();
        XYChart chart = chart(
                "Reads of the busiest shard over the mean, %d of %d, pages by %s, %s"
                        .formatted(first.k(), first.shards(), first.by(), file.name()),
                "document",
                "largest over mean, mean over layers");
        measured(file)
                .filter(row -> row.k() == first.k() && row.by().equals(first.by()))
                .forEach(row -> chart.addSeries(
                        row.router(),
                        IntStream.rangeClosed(1, row.imbalances().size())
                                .boxed()
                                .toList(),
                        row.imbalances()));
        Pictures.write(chart, path);
    }

    private static Stream<Measured> measured(RoutingReport.File file) {
        return file.rows().stream().map(RoutingReport.Row::measured);
    }

    private static XYChart chart(String title, String x, String y) {
        XYChart chart = Pictures.chart(title, x, y);
        chart.getStyler().setLegendPosition(Styler.LegendPosition.OutsideE); // one line has no room for ten routers
        chart.getStyler().setLegendLayout(Styler.LegendLayout.Vertical);
        chart.getStyler().setSeriesColors(COLOURS);
        return chart;
    }
}
