package org.pikv4j.cache.storage;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.pikv4j.cache.compression.Codecs;
import org.pikv4j.cache.compression.PageForm;
import org.pikv4j.cache.storage.CacheLayout.Layer;
import org.pikv4j.model.AttentionSpec;

class CacheLayoutTest {
    private static final PageLayout PAGE = new PageLayout(new PageForm(Codecs.BF16), 16, 8);

    private static CacheLayout layout(int window) {
        return new CacheLayout(
                List.of(new Layer(PAGE, 2, AttentionSpec.FULL), new Layer(PAGE, 1, window)), Residual.DEFAULT);
    }

    @Test
    void theForecastIsWhatASequenceTakes() {
        for (int window : new int[] {1, 2, 16, 17, 24, 32, 33, 1000, AttentionSpec.FULL}) {
            CacheLayout layout = layout(window);
            try (PagePool pool = new PagePool(new HeldMemory(), 1 << 20);
                    SequenceCache cache = new SequenceCache(layout, pool, Runnable::run)) {
                long most = 0;
                for (int tokens = 1; tokens <= 200; tokens++) {
                    // The most is held while a token is read, before what leaves the window is given back.
                    cache.reserve(1);
                    long bytes = cache.bytes();
                    assertThat(bytes)
                            .as("window %s, %s tokens", window, tokens)
                            .isLessThanOrEqualTo(layout.sequenceBytes(tokens));
                    most = Math.max(most, bytes);
                    append(cache);
                }
                assertThat(most).as("window %s", window).isEqualTo(layout.sequenceBytes(200));
            }
        }
    }

    private static void append(SequenceCache cache) {
        float[] row = new float[PAGE.headDim()];
        cache.tables(0).forEach(table -> table.append(row, 0, row, 0));
        cache.tables(1).forEach(table -> table.append(row, 0, row, 0));
        cache.commit(1);
    }

    @Test
    void theLongestSequenceIsTheLastThatFits() {
        CacheLayout layout = layout(24);
        for (long budget = 0; budget < 40_000; budget += 100) {
            int longest = layout.longestSequence(budget, 500);
            assertThat(layout.sequenceBytes(longest)).isLessThanOrEqualTo(budget);
            assertThat(longest == 500 || layout.sequenceBytes(longest + 1) > budget)
                    .as("budget %s, longest %s", budget, longest)
                    .isTrue();
        }
        assertThat(layout.longestSequence(Long.MAX_VALUE, 500)).isEqualTo(500);
    }
}
