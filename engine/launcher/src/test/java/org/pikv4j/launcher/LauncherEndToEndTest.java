package org.pikv4j.launcher;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Starts a jar made of the launcher's own classes and {@link Probe} in place of the real main. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class LauncherEndToEndTest {
    @TempDir
    Path folder;

    private Path jar;
    private final List<Process> started = new ArrayList<>();

    @BeforeEach
    void makeJar() throws Exception {
        jar = folder.resolve("probe.jar");
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().put(Attributes.Name.MAIN_CLASS, Launcher.class.getName());
        manifest.getMainAttributes().putValue("PiKV4J-Main", Probe.class.getName());
        manifest.getMainAttributes().putValue("PiKV4J-Options", "-Dprobe.jar=yes");
        try (OutputStream file = Files.newOutputStream(jar);
                JarOutputStream out = new JarOutputStream(file, manifest)) {
            addClasses(out, Launcher.class);
            addClasses(out, Probe.class);
        }
    }

    private static void addClasses(JarOutputStream out, Class<?> neighbour) throws Exception {
        Path root = Path.of(
                neighbour.getProtectionDomain().getCodeSource().getLocation().toURI());
        try (Stream<Path> files = Files.walk(root)) {
            for (Path file : files.filter(f -> f.toString().endsWith(".class")).toList()) {
                out.putNextEntry(new JarEntry(root.relativize(file).toString().replace('\\', '/')));
                Files.copy(file, out);
                out.closeEntry();
            }
        }
    }

    @AfterEach
    void endAll() {
        started.forEach(process -> {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        });
    }

    private Process start(Map<String, String> environment, String... args) throws IOException {
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-jar", jar.toString()));
        command.addAll(List.of(args));
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().keySet().removeIf(name -> name.startsWith("PIKV4J_") || name.startsWith("TORNADOVM_"));
        builder.environment().putAll(environment);
        Process process = builder.start();
        started.add(process);
        return process;
    }

    private static String read(InputStream in) throws IOException {
        return new String(in.readAllBytes(), UTF_8);
    }

    @Test
    void argumentsConsoleAndExitCodeGoThrough() throws Exception {
        Process process =
                start(Map.of("PIKV4J_JAVA_OPTS", "-Dprobe.user='a b'"), "echo", "7", "", "two words", "--x=\"*\"");
        try (OutputStream stdin = process.getOutputStream()) {
            stdin.write("from stdin\n".getBytes(UTF_8));
        }
        assertThat(read(process.getInputStream()))
                .isEqualToNormalizingNewlines("[][two words][--x=\"*\"]\nfrom stdin\nvector true jar yes user a b\n");
        assertThat(read(process.getErrorStream())).isEqualToNormalizingNewlines("to stderr\n");
        assertThat(process.waitFor()).isEqualTo(7);
    }

    /** As behind {@code 2>&1 | head}: more than a pipe holds, and nobody there. */
    @Test
    void endsWhereNobodyReadsItsStderr() throws Exception {
        Process process = start(Map.of(), "complain");
        process.getErrorStream().close();
        assertThat(process.waitFor(60, SECONDS)).isTrue();
        assertThat(process.exitValue()).isEqualTo(3);
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void inTheCLocaleNoCharacterIsLost() throws Exception {
        // This test's own JVM may be unable to pass such arguments: a shell makes them of bytes.
        Path script = folder.resolve("script");
        Files.writeString(
                script,
                "exec '" + Path.of(System.getProperty("java.home"), "bin", "java") + "' -jar '" + jar
                        + "' echo 0 '' 'na\u00efve \u4e16\u754c' '\\n'\n");
        ProcessBuilder builder = new ProcessBuilder("sh", script.toString());
        builder.environment().keySet().removeIf(name -> name.startsWith("LC_") || name.startsWith("LANG"));
        Process process = builder.start();
        started.add(process);
        process.getOutputStream().close();
        assertThat(read(process.getInputStream())).startsWith("[][na\u00efve \u4e16\u754c][\\n]");
        assertThat(process.waitFor()).isZero();
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void whatAShellHandsOverAsADescriptorCanBeRead() throws Exception {
        Path text = Files.writeString(folder.resolve("text"), "from the descriptor");
        Path script = folder.resolve("script");
        Files.writeString(
                script,
                "exec '" + Path.of(System.getProperty("java.home"), "bin", "java") + "' -jar '" + jar
                        + "' read /dev/fd/9 --file=/dev/fd/9 9<'" + text + "'\n");
        Process process = new ProcessBuilder("sh", script.toString()).start();
        started.add(process);
        assertThat(read(process.getErrorStream())).isEmpty();
        assertThat(read(process.getInputStream())).isEqualTo("[from the descriptor][from the descriptor]");
        assertThat(process.waitFor()).isZero();
    }

    @Test
    void anExceptionIsOne() throws Exception {
        Process process = start(Map.of(), "fail");
        assertThat(read(process.getErrorStream())).contains("IllegalStateException: on purpose");
        assertThat(process.waitFor()).isEqualTo(1);
    }

    @Test
    void aVariableThatNamesNoJavaIsOneLineAndTwo() throws Exception {
        Process process = start(Map.of("PIKV4J_JAVA_HOME", folder.toString()), "echo", "0");
        assertThat(read(process.getErrorStream()))
                .startsWith("pikv4j: PIKV4J_JAVA_HOME=" + folder)
                .hasLineCount(1);
        assertThat(read(process.getInputStream())).isEmpty();
        assertThat(process.waitFor()).isEqualTo(2);
    }

    @Test
    @DisabledOnOs(OS.WINDOWS) // has no signals
    void onSigtermTheChildEndsFirst() throws Exception {
        Process process = start(Map.of(), "wait");
        try (BufferedReader out = process.inputReader()) {
            assertThat(out.readLine()).isEqualTo("waiting");
            process.toHandle().destroy();
            assertThat(out.readLine()).isEqualTo("ended in order");
        }
        assertThat(read(process.getErrorStream())).isEqualToNormalizingNewlines("last words\n");
        assertThat(process.waitFor(60, SECONDS)).isTrue();
        assertThat(process.exitValue()).isEqualTo(128 + 15);
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void onSigintTheChildEndsFirst() throws Exception {
        assumeSigintIsNotIgnored();
        Process process = start(Map.of(), "wait");
        try (BufferedReader out = process.inputReader()) {
            assertThat(out.readLine()).isEqualTo("waiting");
            new ProcessBuilder("kill", "-INT", Long.toString(process.pid()))
                    .start()
                    .waitFor();
            assertThat(out.readLine()).isEqualTo("ended in order");
        }
        assertThat(read(process.getErrorStream())).isEqualToNormalizingNewlines("last words\n");
        assertThat(process.waitFor(60, SECONDS)).isTrue();
        assertThat(process.exitValue()).isEqualTo(128 + 2);
    }

    @Test
    @DisabledOnOs(OS.WINDOWS)
    void aChildDoesNotOutliveAKilledLauncher() throws Exception {
        Process process = start(Map.of(), "wait");
        try (BufferedReader out = process.inputReader()) {
            assertThat(out.readLine()).isEqualTo("waiting");
            ProcessHandle child = process.children().findFirst().orElseThrow();
            process.toHandle().destroyForcibly();
            assertThat(child.onExit()).succeedsWithin(Duration.ofSeconds(60));
        }
    }

    /** A background job of a shell ignores SIGINT, and so does every JVM that it starts. */
    private static void assumeSigintIsNotIgnored() throws IOException {
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
}
