package org.pikv4j;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The README's example, as it stands there, compiled and run. */
class ReadmeExampleTest {
    private static final Path DEMO = Path.of("../cli/src/main/resources/org/pikv4j/cli/demo");

    @Test
    void theExampleCompilesAndAnswers(@TempDir Path directory) throws Exception {
        String readme = Files.readString(Path.of("../../README.md"));
        Matcher code =
                Pattern.compile("```java\n(import .*?)```", Pattern.DOTALL).matcher(readme);
        assertThat(code.find()).isTrue();
        Path source = Files.writeString(directory.resolve("Example.java"), code.group(1));
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        ByteArrayOutputStream complaints = new ByteArrayOutputStream();
        int result = compiler.run(
                null,
                complaints,
                complaints,
                "-cp",
                System.getProperty("java.class.path"),
                "-d",
                directory.toString(),
                source.toString());
        assertThat(result).as(complaints.toString(StandardCharsets.UTF_8)).isZero();

        PrintStream before = System.out;
        ByteArrayOutputStream output = new ByteArrayOutputStream();
        try (URLClassLoader loader = new URLClassLoader(
                new URL[] {directory.toUri().toURL()}, getClass().getClassLoader())) {
            System.setOut(new PrintStream(output, true, StandardCharsets.UTF_8));
            loader.loadClass("Example").getMethod("main", String[].class).invoke(null, (Object)
                    new String[] {DEMO.toString()});
        } finally {
            System.setOut(before);
        }
        assertThat(output.toString(StandardCharsets.UTF_8))
                .contains("The knife is in the garage.")
                .contains("Ada likes mango. (STOP_STRING)")
                .contains("heldBytes=");
    }
}
