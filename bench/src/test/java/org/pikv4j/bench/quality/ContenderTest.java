package org.pikv4j.bench.quality;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class ContenderTest {

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
}
