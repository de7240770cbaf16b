package org.pikv4j.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pikv4j.error.InvalidOptionException;

class PolicyListTest {

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
        assertThat(PolicyList.split(list)).containsExactly(policies.split(" "));
    }

    @Test
    void anEmptyPolicyIsNone() {
        assertThatThrownBy(() -> PolicyList.split("h2o;;knorm"))
                .isInstanceOf(InvalidOptionException.class)
                .hasMessage("--policies names an empty policy");
    }
}
