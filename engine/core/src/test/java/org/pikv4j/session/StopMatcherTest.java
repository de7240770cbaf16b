package org.pikv4j.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.pikv4j.TestSeeds;

class StopMatcherTest {

    @Test
    void textUpToTheFirstStopHoweverItIsCut() {
        long seed = TestSeeds.seed();
        SplittableRandom random = new SplittableRandom(seed);
        List<List<String>> choices =
                List.of(List.of("ab"), List.of("aab", "b"), List.of("aba", "bab"), List.of("\n"), List.of());
        for (int round = 0; round < 5_000; round++) {
            List<String> stops = choices.get(random.nextInt(choices.size()));
            StringBuilder text = new StringBuilder();
            for (int i = random.nextInt(12); i > 0; i--) {
                text.append("ab\n".charAt(random.nextInt(3)));
            }
            StopMatcher matcher = new StopMatcher(stops);
            StringBuilder shown = new StringBuilder();
            for (int at = 0; at < text.length() && !matcher.matched(); ) {
                int end = Math.min(text.length(), at + random.nextInt(4));
                shown.append(matcher.accept(text.substring(at, end)));
                at = end;
            }
            shown.append(matcher.finish());
            int expected = stops.stream()
                    .mapToInt(text::indexOf)
                    .filter(i -> i >= 0)
                    .min()
                    .orElse(text.length());
            assertThat(text.toString()).as(TestSeeds.repeat(seed)).startsWith(shown.toString());
            if (stops.size() < 2) {
                assertThat(shown.toString()).as(TestSeeds.repeat(seed)).isEqualTo(text.substring(0, expected));
            } else {
                // With several stops a shorter one that ends earlier is seen first.
                assertThat(matcher.matched()).as(TestSeeds.repeat(seed)).isEqualTo(expected < text.length());
            }
        }
    }

    @Test
    void holdsBackOnlyWhatMayBecomeAStop() {
        StopMatcher matcher = new StopMatcher(List.of("END"));
        assertThat(matcher.accept("one E")).isEqualTo("one ");
        assertThat(matcher.accept("N")).isEmpty();
        assertThat(matcher.accept("t")).isEqualTo("ENt");
        assertThat(matcher.accept(" EN")).isEqualTo(" ");
        assertThat(matcher.accept("D more")).isEmpty();
        assertThat(matcher.matched()).isTrue();
        assertThat(matcher.finish()).isEmpty();
    }
}
