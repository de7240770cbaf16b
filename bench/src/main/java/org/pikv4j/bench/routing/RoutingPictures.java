package org.pikv4j.bench.routing;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.knowm.xchart.XYChart;
import org.pikv4j.bench.Pictures;
import org.pikv4j.bench.routing.RoutingReport.Row;

/** The report as pictures. */
final class RoutingPictures {
    /** Ten routers stand in one line. */
    private static final int LEGEND_LINE = 12;

    private RoutingPictures() {}

    /** Attention mass over bytes read, a point for each k. */
    static void mass(RoutingReport.File file, String by, Path path) throws IOException {
        XYChart chart = Pictures.chart(
                "Attention mass on what queries read, pages by " + by + ", " + file.name(),
                "share of the bytes of keys and values that a query reads",
                "share of the exact attention");
        chart.getStyler().setLegendSeriesLineLength(LEGEND_LINE);
        List<Row> rows = file.rows().stream().filter(row -> row.by().equals(by)).toList();
        for (String router : rows.stream().map(Row::router).distinct().toList()) {
            List<Row> points = rows.stream()
                    .filter(row -> row.router().equals(router))
                    .sorted(Comparator.comparingDouble(Row::bytesShare))
                    .toList();
            chart.addSeries(
                    router,
                    points.stream().map(Row::bytesShare).toList(),
                    points.stream().map(Row::mass).toList());
        }
        Pictures.write(chart, path);
    }

    /** Largest reads over mean, document by document, of the first k and kind of shards. */
    static void loads(RoutingReport.File file, Path path) throws IOException {
        Row first = file.rows().getFirst();
        XYChart chart = Pictures.chart(
                "Reads of the busiest shard over the mean, %d of %d, pages by %s, %s"
                        .formatted(first.k(), first.shards(), first.by(), file.name()),
                "document",
                "largest over mean, mean over layers");
        chart.getStyler().setLegendSeriesLineLength(LEGEND_LINE);
        file.rows().stream()
                .filter(row -> row.k() == first.k() && row.by().equals(first.by()))
                .forEach(row -> chart.addSeries(
                        row.router(),
                        IntStream.rangeClosed(1, row.imbalances().size())
                                .boxed()
                                .toList(),
                        row.imbalances()));
        Pictures.write(chart, path);
    }
}
