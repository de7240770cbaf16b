package org.pikv4j.app;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MainTest {
    @Test
    void versionAndHelpGoToStdout() {
        Program version = Program.run("--version");
        assertThat(version.code()).isZero();
        assertThat(version.out()).startsWith("PiKV4J ");
        Program help = Program.run("--help");
        assertThat(help.code()).isZero();
        assertThat(help.out())
                .contains("Usage: pikv4j", "run", "chat", "inspect", "plan", "backends", "routers", "logits");
        assertThat(version.err() + help.err()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"run", "chat", "inspect", "plan", "backends", "routers", "logits"})
    void everyCommandExplainsItself(String command) {
        Program help = Program.run(command, "--help");
        assertThat(help.code()).isZero();
        assertThat(help.out()).contains("Usage: pikv4j " + command, "--verbose");
        assertThat(help.err()).isEmpty();
    }

    @Test
    void withoutArgumentsTheUsageGoesToStderr() {
        Program program = Program.run();
        assertThat(program.code()).isEqualTo(2);
        assertThat(program.out()).isEmpty();
        assertThat(program.err()).isEqualTo(Program.run("--help").out());
    }

    @ParameterizedTest
    @ValueSource(strings = {"--help", "run --help", "chat --help", "inspect --help", "plan --help", "logits --help"})
    void noExampleIsBroken(String line) {
        // In the usual 80 columns, which also hold here: what goes on after a break begins at the margin.
        assertThat(Program.run(line.split(" ")).out())
                .containsPattern("\\n  pikv4j ")
                .doesNotContainPattern("\\n  pikv4j [^\\n]*\\n[^ \\n]");
    }

    @Test
    void routersAreListedWithDefaults() {
        Program table = Program.run("routers");
        assertThat(table.code()).isZero();
        assertThat(table.out().lines())
                .anyMatch(line -> line.matches("exact"))
                .anyMatch(line -> line.matches("query-centroid +k=2"))
                .anyMatch(line -> line.matches("adaptive +k=2  alpha=0\\.1  cost=0  prior=1"))
                .anyMatch(line ->
                        line.matches("hierarchical +k=2  groups=4, or one for each shard  keep=half of the groups"))
                .anyMatch(line -> line.matches(
                        "each of them +shards=one for each expert  by=expert  sinks=4  window=32  prompt=0  ahead=1"));
        assertThat(Program.run("routers", "--json").out()).contains("\"topk\":{\"k\":\"2\",\"shards\":");
    }

    @Test
    void shardsAndRoutingHaveHeadings() {
        assertThat(Program.run("run", "--help").out())
                .containsSubsequence(
                        "Model, cache and backend:",
                        "--kv-policy",
                        "Shards, places where pages live:",
                        "--shard-capacity=SHARE[,SHARE...]",
                        "Routing, what queries read:",
                        "--route",
                        "General options:");
    }

    @Test
    void backendsAreListedWithReasons() {
        Program table = Program.run("backends");
        assertThat(table.code()).isZero();
        assertThat(table.out().lines()).anyMatch(line -> line.matches("scalar +available: .+"));
        assertThat(table.out().lines()).anyMatch(line -> line.matches("vector +available: .+"));
        assertThat(table.out().lines()).anyMatch(line -> line.matches("tornado +.*available: .+"));
        assertThat(Program.run("backends", "--json").out()).contains("{\"name\":\"scalar\",\"available\":true,");
    }
}
