package org.pikv4j.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Ctrl-C, sent to a process of its own. */
@DisabledOnOs(OS.WINDOWS) // there is no kill command
@Timeout(value = 180, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class InterruptionTest {
    /** A background job of a shell ignores SIGINT, and so does every JVM that it starts. */
    @BeforeEach
    void sigintIsNotIgnored() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (Files.exists(status)) {
            String ignored = Files.readAllLines(status).stream()
                    .filter(line -> line.startsWith("SigIgn:"))
                    .findFirst()
                    .orElse("SigIgn: 0");
            long mask = Long.parseUnsignedLong(ignored.substring(7).strip(), 16);
            assumeTrue((mask & 1 << 1) == 0, "SIGINT is ignored here, as in a background job");
        }
    }

    @TempDir
    private Path directory;

    @Test
    void whatWasWrittenStaysAndIsSummedUp() throws Exception {
        Process process = start("run", "--prompt", "Notes: Ada", "--max-tokens", "8000", "--stop", "never");
        String out = outAfterInterrupt(process);
        assertThat(process.waitFor()).isEqualTo(130);
        assertThat(out).startsWith(" ").endsWith("\n");
        assertThat(Files.readString(directory.resolve("err"))).matches("\\[first token .* per token \\| scalar]\n");
        assertNothingLeft();
    }

    @Test
    void aHalfWrittenFileGoesAway() throws Exception {
        Path ids = directory.resolve("ids.txt");
        Files.writeString(ids, "5 ".repeat(8000));
        Path out = directory.resolve("logits.safetensors");
        Process process = start("logits", "--ids", ids.toString(), "--out", out.toString());
        while (process.isAlive() && names().stream().noneMatch(name -> name.endsWith(".tmp"))) {
            Thread.sleep(10);
        }
        interrupt(process);
        assertThat(process.waitFor()).isEqualTo(130);
        assertThat(directory.resolve("err")).isEmptyFile();
        Files.delete(ids);
        assertNothingLeft();
    }

    @Test
    void aChatGoesOnAfterAnAnswerThatWasEnded() throws Exception {
        Process process = start("chat", "--max-tokens", "8000", "--stop", "never", "--system", "Notes: Ada");
        String out;
        try (OutputStream in = process.getOutputStream();
                InputStream answers = process.getInputStream()) {
            in.write("Question: Where is the knife?\n".getBytes(StandardCharsets.UTF_8));
            in.flush();
            byte[] first = answers.readNBytes(1);
            interrupt(process);
            in.write("/exit\n".getBytes(StandardCharsets.UTF_8));
            in.flush();
            out = new String(first, StandardCharsets.UTF_8)
                    + new String(answers.readAllBytes(), StandardCharsets.UTF_8);
        }
        assertThat(process.waitFor()).isZero();
        assertThat(out).endsWith("\n");
        assertThat(Files.readString(directory.resolve("err"))).matches("\\[first token .* per token \\| scalar]\n");
        assertNothingLeft();
    }

    private Process start(String... args) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-Djava.io.tmpdir=" + directory,
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName()));
        command.addAll(List.of(args));
        // Without the incubator module there is no warning about it on stderr.
        command.addAll(List.of("--backend", "scalar"));
        return new ProcessBuilder(command)
                .redirectError(Redirect.to(directory.resolve("err").toFile()))
                .start();
    }

    private static String outAfterInterrupt(Process process) throws Exception {
        try (InputStream out = process.getInputStream()) {
            byte[] first = out.readNBytes(1);
            interrupt(process);
            return new String(first, StandardCharsets.UTF_8) + new String(out.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static void interrupt(Process process) throws Exception {
        Process kill = new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start();
        assertThat(kill.waitFor()).isZero();
    }

    private void assertNothingLeft() throws IOException {
        assertThat(names()).containsExactly("err");
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(Path::getFileName).map(Path::toString).toList();
        }
    }
}
