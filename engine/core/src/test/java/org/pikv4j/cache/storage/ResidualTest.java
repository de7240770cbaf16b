package org.pikv4j.cache.storage;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.pikv4j.TestSeeds;

class ResidualTest {

    @Test
    void exactTokensKeepToTheirShare() {
        long seed = TestSeeds.seed();
        SplittableRandom random = new SplittableRandom(seed);
        for (int round = 0; round < 300; round++) {
            int page = 16 * (1 + random.nextInt(8));
            long most = 3L * page + random.nextInt(3000);
            Residual wanted = new Residual(random.nextInt(2000), random.nextInt(2000), 16 * (1 + random.nextInt(20)));
            Residual kept = wanted.atMost(most, page);
            for (int length = 0; length < 5000; length += 1 + random.nextInt(7)) {
                int sinks = kept.sinkPages(page) * page;
                int newest = length - Math.max(kept.settledPages(length, page), kept.sinkPages(page)) * page;
                assertThat((long) Math.min(length, sinks + Math.max(0, newest)))
                        .as(
                                "%s of %s, at most %d, pages of %d, length %d, %s",
                                kept, wanted, most, page, length, TestSeeds.repeat(seed))
                        .isLessThanOrEqualTo(most);
            }
        }
    }

    @Test
    void whatFitsStaysAsItIs() {
        assertThat(Residual.DEFAULT.atMost(10_000, 64)).isEqualTo(Residual.DEFAULT);
    }
}
