package org.pikv4j;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.pikv4j.session.Engine;

/** A program that has only the dependency, and no JVM flags. */
class FallbackTest {

    @Test
    void withoutTheVectorModuleTheEngineRunsOnScalarAndSaysHowToDoBetter() throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Program.class.getName())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        assertThat(output)
                .contains("backend=scalar")
                .contains("WARN")
                .contains("the module jdk.incubator.vector is not loaded")
                .contains("--add-modules jdk.incubator.vector");
    }

    /** What the other JVM runs. */
    static final class Program {
        private Program() {}

        public static void main(String[] args) {
            try (Engine engine = PiKV.model(Golden.fixture("llama")).open()) {
                System.out.println("backend=" + engine.backend().name());
            }
        }
    }
}
