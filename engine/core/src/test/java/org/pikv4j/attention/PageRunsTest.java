package org.pikv4j.attention;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.pikv4j.TestSeeds;
import org.pikv4j.cache.compression.Codecs;
import org.pikv4j.cache.compression.PageForm;
import org.pikv4j.cache.storage.HeldMemory;
import org.pikv4j.cache.storage.Page;
import org.pikv4j.cache.storage.PageLayout;
import org.pikv4j.cache.storage.PageName;
import org.pikv4j.cache.storage.PagePool;
import org.pikv4j.cache.storage.PageRoom;

class PageRunsTest {
    private static final PageLayout LAYOUT = new PageLayout(new PageForm(Codecs.BF16), 16, 8, PageRoom.NONE);

    private final long seed = TestSeeds.seed();
    private final SplittableRandom random = new SplittableRandom(seed);

    /** Whatever the order, there are as many runs as there are names without a predecessor, and one for each range without a name. */
    @Test
    void runsAreCountedInAnyOrder() {
        for (int round = 0; round < 300; round++) {
            try (PagePool pool = new PagePool(new HeldMemory(), 1 << 20)) {
                List<PageName> names = new ArrayList<>();
                for (int list = 0; list < 3; list++) {
                    for (int entry = 0; entry < 12; entry++) {
                        if (random.nextInt(4) > 0) {
                            names.add(new PageName(list, entry));
                        }
                    }
                }
                if (random.nextBoolean()) {
                    shuffle(names);
                }
                SlotRanges ranges = new SlotRanges(0);
                List<Page> pages = new ArrayList<>();
                Set<PageName> whole = new HashSet<>();
                int expected = 0;
                for (PageName name : names) {
                    Page page = pool.allocate(LAYOUT, 16 * pages.size());
                    boolean named = random.nextInt(8) > 0;
                    if (named) {
                        page.named(name);
                    }
                    int end = random.nextInt(8) > 0 ? 16 : 9;
                    ranges.add(page, pages.size(), 0, end);
                    if (named && end == 16) {
                        whole.add(name);
                    } else {
                        expected++;
                    }
                    pages.add(page);
                }
                for (PageName name : whole) {
                    expected += whole.contains(new PageName(name.list(), name.entry() - 1)) ? 0 : 1;
                }
                assertThat(PageRuns.count(ranges)).as(TestSeeds.repeat(seed)).isEqualTo(expected);
                pages.forEach(pool::release);
            }
        }
    }

    private void shuffle(List<PageName> names) {
        for (int i = names.size() - 1; i > 0; i--) {
            int other = random.nextInt(i + 1);
            PageName name = names.get(i);
            names.set(i, names.get(other));
            names.set(other, name);
        }
    }
}
