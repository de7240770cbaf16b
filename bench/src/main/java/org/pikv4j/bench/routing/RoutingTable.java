package org.pikv4j.bench.routing;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import org.pikv4j.bench.Interval;
import org.pikv4j.bench.routing.RoutingReport.Measured;
import org.pikv4j.bench.routing.RoutingReport.Row;

/** The report as lines. */
final class RoutingTable {
    private static final String UNKNOWN = "-";

    private RoutingTable() {}

    static List<String> lines(RoutingReport.File file, boolean places) {
        List<String> lines = new ArrayList<>();
        lines.add("");
        lines.add("%s: %d documents, %d questions".formatted(file.name(), file.documents(), file.questions()));
        String before = "";
        for (Row row : file.rows()) {
            Measured measured = row.measured();
            String head = "%d of %d shards, pages by %s".formatted(measured.k(), measured.shards(), measured.by());
            if (!head.equals(before)) {
                lines.add("");
                lines.add(head);
                lines.add("router                 mass            95%  /clairv.  hash at = bytes  top token  recall"
                        + "      KL   bytes  max/mean     CV  min/mean  choice us  FLOP/B"
                        + (places ? "  local remote   all" : ""));
                before = head;
            }
            lines.add(line(row, places));
        }
        lines.add("");
        lines.add(
                "mass: of the exact attention on what was read; bytes: share of keys and values read; max/mean, CV and"
                        + " min/mean: reads of a layer's shards");
        lines.add(
                "hash at = bytes: mass of hash where it reads as much, straight between its k; -: it reads more even at one shard, or"
                        + " the router reads all");
        return lines;
    }

    private static String line(Row all, boolean places) {
        Measured row = all.measured();
        String line = String.format(
                Locale.ROOT,
                "%-20s %6.3f  %13s  %8s  %15s  %9.3f  %3d/%-3d %6.3f %4.0f%%  %8.2f %6.2f %9.2f %10.1f %7.2f",
                row.router(),
                row.mass(),
                row.massInterval().map(RoutingTable::range).orElse(UNKNOWN),
                number(all.beside().ofClairvoyant()),
                number(all.beside().randomAtBytes()),
                row.hitRate(),
                row.right(),
                row.questions(),
                row.divergence(),
                100 * row.bytesShare(),
                row.imbalance(),
                row.variation(),
                row.leastUse(),
                1e6 * row.decisionSeconds(),
                row.flopsPerByte());
        return places
                ? line
                        + String.format(
                                Locale.ROOT,
                                " %5.0f%% %5.0f%% %4.0f%%",
                                100 * row.local(),
                                100 * row.remote(),
                                100 * row.broadcast())
                : line;
    }

    private static String range(Interval interval) {
        return String.format(Locale.ROOT, "%5.3f - %5.3f", interval.low(), interval.high());
    }

    private static String number(OptionalDouble value) {
        return value.isPresent() ? String.format(Locale.ROOT, "%.3f", value.getAsDouble()) : UNKNOWN;
    }
}
