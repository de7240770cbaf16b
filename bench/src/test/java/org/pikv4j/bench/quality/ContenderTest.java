package org.pikv4j.bench.quality;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pikv4j.error.InvalidOptionException;

class ContenderTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "h2o | h2o",
                "h2o;keydiff | h2o keydiff",
                "h2o,keydiff | h2o keydiff",
                "snapkv:queries=32,kernel=7,h2o | snapkv:queries=32,kernel=7 h2o",
                "h2o,adakv(snapkv:queries=32,kernel=7):floor=0.2,window=64 ; knorm "
                        + "| h2o adakv(snapkv:queries=32,kernel=7):floor=0.2,window=64 knorm",
                "lru+,lru+:lambda=8,streaming-llm:sinks=8 | lru+ lru+:lambda=8 streaming-llm:sinks=8"
            })
    void commasWithinAPolicyAreItsOwn(String list, String policies) {
        assertThat(Contender.parse(list).stream().map(Contender::text)).containsExactly(policies.split(" "));
    }

    @Test
    void whoReadsLessHasTheShareAmongItsOptions() {
        List<Double> budgets = List.of(1.0, 0.25);
        Contender quest = new Contender("quest");
        assertThat(quest.evicts()).isFalse();
        assertThat(quest.at(0.25)).isEqualTo("quest:read=0.25");
        assertThat(quest.among(budgets)).isEqualTo(budgets);
        assertThat(new Contender("quest:dense-layers=0").at(1)).isEqualTo("quest:dense-layers=0,read=1");
        assertThat(new Contender("quest:read=0.5").among(budgets)).containsExactly(1.0);
        assertThat(new Contender("h2o").evicts()).isTrue();
        assertThat(new Contender("random:seed=4").evicts()).isTrue();
    }

    @Test
    void anEmptyPolicyIsNone() {
        assertThatThrownBy(() -> Contender.parse("h2o;;knorm"))
                .isInstanceOf(InvalidOptionException.class)
                .hasMessage("--policies names an empty policy");
    }
}
