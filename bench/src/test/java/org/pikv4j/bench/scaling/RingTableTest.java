package org.pikv4j.bench.scaling;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.OptionalDouble;
import java.util.PrimitiveIterator;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;
import org.pikv4j.cli.Json;

class RingTableTest {
    private static final OptionalDouble UNKNOWN = OptionalDouble.empty();

    private static OptionalDouble settled(double... measured) {
        PrimitiveIterator.OfDouble next = DoubleStream.iterate(0, i -> i + 1)
                .map(i -> measured[(int) i % measured.length])
                .iterator();
        return RingRun.settled(next::nextDouble);
    }

    @Test
    void measurementsThatComeToAgreeAreTaken() {
        assertThat(settled(-900, 5000, 225, 222, 219, 10_000)).hasValue(222);
    }

    @Test
    void measurementsThatDisagreeMeasureNothing() {
        assertThat(settled(222, 90, -900, 400, 5000)).isEmpty();
        assertThat(settled(-164)).isEmpty();
        assertThat(settled(0)).isEmpty();
    }

    @Test
    void whatIsTooSmallToMeasureIsSaidAndNotPrintedAsANumber() {
        RingReport report = new RingReport(
                440,
                2,
                8,
                UNKNOWN,
                List.of(new RingReport.Row(
                        1, 16, 224, 900_000, 28_000, 870_000, 15_000, UNKNOWN, 6_000, 8_000, UNKNOWN, 120_000)),
                List.of());
        RingTable table = new RingTable("a model", report);
        assertThat(table.lines())
                .anySatisfy(line -> assertThat(line).endsWith("a page's handle is too small to measure here"))
                .anySatisfy(line -> assertThat(line).contains("|         -          - |     117 KiB"))
                .noneSatisfy(line -> assertThat(line).contains("NaN"));
        assertThat(table.drawable()).isFalse();
        assertThat(Json.line(report)).contains("\"handle_bytes\":null", "\"device_bytes\":null");
    }
}
