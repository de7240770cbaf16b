package org.pikv4j.cache.scheduling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pikv4j.cache.scheduling.policies.BuiltInPolicies;
import org.pikv4j.error.InvalidOptionException;

class PolicyChoiceTest {

    @Test
    void everyPolicyIsFoundByItsNameAndHasTheCommonOptions() {
        for (CachePolicy policy : BuiltInPolicies.ALL) {
            PolicyChoice choice = PolicyChoice.parse(policy.name() + ":sinks=1,window=7");
            assertThat(choice.policy()).hasSameClassAs(policy);
            assertThat(choice.protection()).isEqualTo(new Protection(1, 7));
            assertThat(PolicyChoice.parse(policy.name()).protection()).isEqualTo(Protection.DEFAULT);
        }
    }

    @Test
    void whatIsWrappedWatchesAndHasItsOwnOptions() {
        PolicyChoice choice = PolicyChoice.parse("adakv(pyramid(snapkv:queries=9)):floor=0.5,window=16");
        assertThat(choice.policy().name()).isEqualTo("adakv");
        assertThat(choice.eviction().orElseThrow().observedQueries()).isEqualTo(9);
        assertThat(choice.eviction().orElseThrow().columns()).isEqualTo(1);
        assertThat(PolicyChoice.parse("pyramid(h2o)").eviction().orElseThrow().observedQueries())
                .isEqualTo(Integer.MAX_VALUE);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "h3o | 'h3o' is unknown",
                "'' | '' is unknown",
                "h2o(snapkv) | wraps no other",
                "adakv(h3o) | 'h3o' is unknown",
                "adakv(h2o | bracket",
                "h2o:lambda=3 | no option 'lambda'",
                "lru+:lambda=many | a number of at least 0, not 'many'",
                "lru+:lambda=2e6 | lambda must be at most 1000000, not '2e6'",
                "lru+:lambda=NaN | not 'NaN'",
                "h2o:window | name=value",
                "h2o:window=1,window=2 | each once",
                "h2o:window=-1 | window must be a number of at least 0",
                "h2o:sinks=1.5 | whole number",
                "snapkv:queries=0 | at least 1",
                "adakv(h2o):floor=2 | from 0 to 1, not '2'",
                "chunk(flexgen) | cannot wrap flexgen",
                "flexgen(h2o) | wraps no other",
                "flexgen:dir=/no/such/place | dir must be a directory",
                "flexgen:keep=1 | it has dir, disk",
            })
    void whatCannotBeUnderstoodIsSaid(String spec, String said) {
        assertThatThrownBy(() -> PolicyChoice.parse(spec))
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageStartingWith("kv-policy")
                .hasMessageContaining(said);
    }

    @ParameterizedTest
    @CsvSource({"512MiB,536870912,", "1024tok,,1024tok", "25%,,25%", "'1GiB,12.5%',1073741824,12.5%"})
    void budgets(String text, Long bytes, String tokens) {
        KvBudget budget = KvBudget.parse(text);
        assertThat(budget.bytes().isPresent() ? budget.bytes().getAsLong() : null)
                .isEqualTo(bytes);
        assertThat(budget.tokens().map(TokenBudget::toString).orElse(null)).isEqualTo(tokens);
    }

    @ParameterizedTest
    @CsvSource({"0tok", "-1tok", "1.5tok", "tok", "0%", "101%", "NaN%", "'1tok,2tok'", "'1MiB,2MiB'", "much", "''"})
    void whatIsNoBudgetIsSaid(String text) {
        assertThatThrownBy(() -> KvBudget.parse(text)).isInstanceOf(InvalidOptionException.class);
    }

    @Test
    void aPyramidSharesOutWhatThereIs() {
        EvictionPolicy policy =
                PolicyChoice.parse("pyramid(h2o):floor=0.1").eviction().orElseThrow();
        int[] byLayer = new int[5];
        for (int layer = 0; layer < 5; layer++) {
            int[] quotas = policy.quotas(new BudgetShare(layer, 5, 100, 4, 0, List.of(new float[1], new float[1])));
            assertThat(quotas[0]).isEqualTo(quotas[1]);
            byLayer[layer] = quotas[0];
        }
        assertThat(byLayer).containsExactly(190, 145, 100, 55, 10);
        assertThat(policy.quotas(new BudgetShare(0, 1, 100, 4, 0, List.of(new float[1]))))
                .containsExactly(100);
    }

    @Test
    void headsCompeteForTheBudgetOfTheirLayer() {
        EvictionPolicy policy =
                PolicyChoice.parse("adakv(h2o):floor=0.5").eviction().orElseThrow();
        float[] peaked = {9, 8, 0.1f, 0.1f, 0.1f, 0.1f, 0.1f, 0.1f};
        float[] flat = {1, 2, 3, 4, 5, 6, 7, 8};
        int[] quotas = policy.quotas(new BudgetShare(0, 3, 4, 1, 0, List.of(peaked, flat)));
        // Two each for certain; of what is left, 6, 5, 4, 3 … and 0.1 …, the best four are all of the second head.
        assertThat(quotas).containsExactly(2, 6);
        int[] even = policy.quotas(new BudgetShare(0, 3, 4, 1, 0, List.of(new float[8], new float[8])));
        assertThat(Arrays.stream(even).sum()).isEqualTo(8);
    }

    @Test
    void theBestStayAndOfEqualsTheNewer() {
        float[] scores = {5, 1, 1, 1, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY};
        assertThat(Highest.of(scores, 3).stream()).containsExactly(0, 3, 4);
        assertThat(Highest.of(scores, 0).stream()).isEmpty();
        assertThat(Highest.of(scores, 9).cardinality()).isEqualTo(6);
    }
}
