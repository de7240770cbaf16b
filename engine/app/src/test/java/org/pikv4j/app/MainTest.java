package org.pikv4j.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import org.pikv4j.cli.Cli;
import picocli.CommandLine;

class MainTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int execute(String... args) {
        CommandLine commandLine = Cli.commandLine(new Main());
        commandLine.setOut(new PrintWriter(out));
        commandLine.setErr(new PrintWriter(err));
        return commandLine.execute(args);
    }

    @Test
    void versionAndHelpGoToStdout() {
        assertThat(execute("--version")).isZero();
        assertThat(out.toString()).startsWith("PiKV4J ");
        assertThat(execute("--help")).isZero();
        assertThat(out.toString()).contains("Usage: pikv4j");
        assertThat(err.toString()).isEmpty();
    }

    @Test
    void aWrongCallEndsWithTwo() {
        assertThat(execute()).isEqualTo(2);
        assertThat(execute("--no-such-option")).isEqualTo(2);
        assertThat(err.toString()).contains("--no-such-option");
        assertThat(out.toString()).isEmpty();
    }
}
