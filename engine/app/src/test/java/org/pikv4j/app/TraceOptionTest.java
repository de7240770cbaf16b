package org.pikv4j.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pikv4j.trace.Trace;

class TraceOptionTest {
    private static final String PROMPT = "Ada likes mango. Question: What does Ada like? Answer:";

    @TempDir
    private Path directory;

    @Test
    void aRunIsRecordedWithWhatItGenerates() throws IOException {
        Path file = directory.resolve("run.trace");
        Program program = run(file);
        assertThat(program.code()).as(program.err()).isZero();
        try (Trace trace = Trace.open(file)) {
            assertThat(trace.layers()).hasSize(4);
            assertThat(trace.model()).isEqualTo("the demo model");
            // The token generated last is not read any more.
            assertThat(trace.length()).isEqualTo(trace.promptTokens() + 3);
            assertThat(trace.layers()).allMatch(layer -> layer.experts() == 8);
        }
        Program again = run(file);
        assertThat(again.code()).isEqualTo(2);
        assertThat(again.err()).isEqualTo("pikv4j: --trace " + file + ": is there already\n");
        Path nowhere = directory.resolve("none/run.trace");
        Program lost = run(nowhere);
        assertThat(lost.code()).isEqualTo(2);
        assertThat(lost.err()).isEqualTo("pikv4j: --trace " + nowhere + ": its directory does not exist\n");
        assertThat(lost.out()).isEmpty();
        try (Stream<Path> files = Files.list(directory)) {
            assertThat(files).containsExactly(file);
        }
    }

    private static Program run(Path file) {
        return Program.run("run", "--prompt", PROMPT, "--max-tokens", "4", "--trace", file.toString());
    }
}
