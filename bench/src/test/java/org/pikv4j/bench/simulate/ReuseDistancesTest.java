package org.pikv4j.bench.simulate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.pikv4j.TestSeeds;

class ReuseDistancesTest {

    @Test
    void distancesAreThoseOfTheDefinitionAndPredictTheList() {
        long seed = TestSeeds.seed();
        SplittableRandom random = new SplittableRandom(seed);
        int pages = 1 + random.nextInt(40);
        List<Integer> order = new ArrayList<>();
        ReuseDistances distances = new ReuseDistances(pages);
        ReuseDistances.Reads reads = distances.new Reads();
        long[] below = new long[8]; // 1, 2, 4, …
        long again = 0;
        for (int i = 0; i < 2000; i++) {
            int page = Math.min(random.nextInt(pages), random.nextInt(pages));
            reads.read(page);
            int last = order.lastIndexOf(page);
            if (last >= 0) {
                again++;
                int between = new HashSet<>(order.subList(last + 1, order.size())).size();
                for (int s = 0; s < below.length; s++) {
                    below[s] += between < 1 << s ? 1 : 0;
                }
            }
            order.add(page);
        }
        Reuse summary = distances.summary();
        assertThat(summary.reads()).isEqualTo(2000);
        assertThat(summary.firstReads()).isEqualTo(new HashSet<>(order).size());
        double share = 0;
        for (int s = 0; s < summary.capacities().size(); s++) {
            Reuse.Capacity row = summary.capacities().get(s);
            double expected = (double) below[s] / again;
            share += row.share();
            assertThat(row.pages()).isEqualTo(1 << s);
            assertThat(row.predicted()).as("seed %d, %s", seed, row).isCloseTo(expected, within(1e-12));
            assertThat(row.measured()).as("seed %d, %s", seed, row).isCloseTo(expected, within(1e-12));
            assertThat(share).isCloseTo(expected, within(1e-9));
        }
        assertThat(summary.capacities().getLast().predicted()).isEqualTo(1);
    }

    @Test
    void aStepReadsPagesWithMoreThanTheirShareAndThatOfTheTopToken() {
        ReuseDistances distances = new ReuseDistances(4);
        ReuseDistances.Reads reads = distances.new Reads();
        double[] shares = new double[50]; // pages of 16, 16, 16 and 2
        shares[3] = 0.10; // the largest, on a page with less than its share
        for (int t = 16; t < 32; t++) {
            shares[t] = 0.025;
        }
        shares[48] = 0.041;
        shares[40] = 0.32 - 0.001;
        reads.note(49, 0, shares, 3);
        assertThat(distances.summary().firstReads()).isEqualTo(3);
        assertThat(distances.summary().reads()).isEqualTo(3);
        reads.note(49, 0, shares, 40);
        assertThat(distances.summary().firstReads()).isEqualTo(4);
    }
}
