package org.pikv4j.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pikv4j.cache.routing.RoutingUsage;
import org.pikv4j.shard.ShardMoves;
import org.pikv4j.shard.ShardStats;
import org.pikv4j.shard.ShardUsage;

class GenerationReportTest {
    private static final GenerationReport REPORT = new GenerationReport(
            "text",
            8,
            2043,
            2.084,
            984.2,
            26.71,
            0.0345,
            0.0448,
            4_329_472,
            0,
            0,
            2109,
            2051,
            2051,
            List.of(),
            Optional.empty(),
            Optional.empty(),
            "vector",
            "stop_string",
            1);

    @Test
    void oneLineSaysItAll() {
        assertThat(REPORT.text(Integer.MAX_VALUE))
                .isEqualTo("[first token 2.08 s | prompt 2,043 tokens, 984/s"
                        + " | decode 8 tokens, 26.7/s, p50 34.5 ms, p99 44.8 ms"
                        + " | KV 4.13 MiB, 2.06 KiB per token | vector]");
    }

    @Test
    void whatIsOnDiskOrForgottenIsSaidBeside() {
        GenerationReport report = new GenerationReport(
                "text",
                8,
                2043,
                2.084,
                984.2,
                26.71,
                0.0345,
                0.0448,
                524_288,
                0,
                3_801_088,
                256,
                2048,
                511.6,
                List.of(
                        new ShardUsage(0, true, 0.75, 1024, 4096, 1, 3, 3072, 2048, 1024, 28, 6144),
                        new ShardUsage(1, false, 0.25, 3072, 4096, 0, 0, 0, 0, 0, 0, 2048)),
                Optional.of(new ShardStats(true, 0.25, 0.004, 1, new ShardMoves(12, 3072, 0, 0.002))),
                Optional.of(new RoutingUsage(
                        4,
                        10,
                        40,
                        160,
                        640,
                        256,
                        1024,
                        0.5,
                        List.of(List.of(3L, 1L), List.of()),
                        List.of(1L, 3L),
                        4,
                        3,
                        0,
                        0)),
                "vector",
                "length",
                1);
        assertThat(report.text(Integer.MAX_VALUE))
                .contains(" | KV 512 KiB, 256 B per token, and 3.63 MiB on disk, 512 of 2,048 tokens kept | ")
                .contains(" | 2 shards, 4.00 KiB; queries 3.00 KiB, partials 2.00 KiB, rows 1.00 KiB"
                        + " | shard 0: 1.00 KiB of 4.00 KiB, held 25% of 75%, read 75%"
                        + " | shard 1: 3.00 KiB of 4.00 KiB, held 75% of 25%, read 25%, shut"
                        + " | waited 4.00 ms for shards beside 250 ms of attention here"
                        + " | rebalanced 1 time, 12 pages, 3.00 KiB in 2.00 ms | ")
                .contains(" | routed queries read 25% of 1.00 KiB, loads max/mean 1.50, 75% as the query before | ");
    }

    @ParameterizedTest
    @ValueSource(ints = {54, 80, 100, 143, 144, 145, 200})
    void linesFitAndLoseNothing(int columns) {
        String text = REPORT.text(columns);
        assertThat(text.lines()).allMatch(line -> line.length() <= columns);
        assertThat(text.replace("\n", "")).isEqualTo(REPORT.text(Integer.MAX_VALUE));
    }

    @Test
    void whatIsTooLongForALineHasOneOfItsOwn() {
        assertThat(REPORT.text(10).lines()).hasSize(5);
    }
}
