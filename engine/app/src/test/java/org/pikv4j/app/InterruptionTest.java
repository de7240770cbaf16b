package org.pikv4j.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
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
        Process process;
        try (WatchService watch = directory.getFileSystem().newWatchService()) {
            directory.register(watch, StandardWatchEventKinds.ENTRY_CREATE);
            process = start("logits", "--ids", ids.toString(), "--out", out.toString());
            // A process that ends before its time closes the watch, and the wait with it.
            CompletableFuture<Void> _ =
                    process.onExit().thenRun(() -> assertThatCode(watch::close).doesNotThrowAnyException());
            awaitFile(watch, ".tmp");
            interrupt(process);
        }
        assertThat(process.waitFor()).isEqualTo(130);
        assertThat(directory.resolve("err")).hasContent("pikv4j: interrupted");
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

    @Test
    void beforeThereIsWorkToStopOneLineSaysSo() throws Exception {
        Path prompt = directory.resolve("prompt");
        assertThat(new ProcessBuilder("mkfifo", prompt.toString()).start().waitFor())
                .isZero();
        Process process = start("run", "--prompt-file", prompt.toString());
        // Opening a pipe waits for its reader.
        try (OutputStream _ = Files.newOutputStream(prompt)) {
            interrupt(process);
            assertThat(process.waitFor()).isEqualTo(130);
        }
        assertThat(process.getInputStream()).isEmpty();
        assertThat(directory.resolve("err")).hasContent("pikv4j: interrupted");
        Files.delete(prompt);
        assertNothingLeft();
    }

    @Test
    void whatAKilledProcessLeftBehindGoesAwayWithTheNext() throws Exception {
        Process killed = answeringChat();
        Process living = answeringChat();
        Path left = demoModelOf(killed);
        Path used = demoModelOf(living);
        killed.destroyForcibly().waitFor();
        assertThat(left).isDirectoryContaining("glob:**/model.safetensors");
        for (Path directory : List.of(left, used)) {
            // One that is younger may be about to be locked.
            Files.setLastModifiedTime(
                    directory.resolve(".lock"), FileTime.from(Instant.now().minusSeconds(3600)));
        }
        assertThat(start("run", "--prompt", "Notes: Ada").waitFor()).isZero();
        assertThat(left).doesNotExist();
        assertThat(used).isDirectoryContaining("glob:**/model.safetensors");
        living.getOutputStream().close();
        assertThat(living.waitFor()).isZero();
        assertNothingLeft();
    }

    /** A chat that has answered, so that it has its model. */
    private Process answeringChat() throws IOException {
        Process process = start("chat", "--system", "Notes: Ada", "--max-tokens", "1");
        process.getOutputStream().write("Who?\n".getBytes(StandardCharsets.UTF_8));
        process.getOutputStream().flush();
        assertThat(process.getInputStream().read()).isPositive();
        return process;
    }

    private Path demoModelOf(Process process) throws IOException {
        String name = names().stream()
                .filter(each -> each.startsWith("pikv4j-demo-" + process.pid() + "-"))
                .findFirst()
                .orElseThrow();
        return directory.resolve(name);
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

    private static void awaitFile(WatchService watch, String suffix) throws InterruptedException {
        while (true) {
            WatchKey key = watch.take();
            if (key.pollEvents().stream()
                    .anyMatch(event -> String.valueOf(event.context()).endsWith(suffix))) {
                return;
            }
            assertThat(key.reset()).isTrue();
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
