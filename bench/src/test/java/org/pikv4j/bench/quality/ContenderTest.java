package org.pikv4j.bench.quality;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.pikv4j.error.InvalidOptionException;

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

    @Test
    void oneControllerAndFormsStandBesidePolicies() {
        List<Double> budgets = List.of(1.0, 0.25);
        Contender auto = new Contender("auto");
        assertThat(auto.auto()).isTrue();
        assertThat(auto.policy().orElseThrow().auto()).isTrue();
        assertThat(auto.among(budgets)).isEqualTo(budgets);
        Contender form = new Contender("kv-dtype=int8,int4");
        assertThat(form.form()).contains("int8,int4");
        assertThat(form.policy()).isEmpty();
        assertThat(form.among(budgets)).containsExactly(1.0);
        assertThat(form.standsIn(Mode.HELD)).isFalse();
        assertThatThrownBy(() -> new Contender("kv-dtype=int9").check(budgets))
                .isInstanceOf(InvalidOptionException.class)
                .hasMessageContaining("int9");
    }
}
