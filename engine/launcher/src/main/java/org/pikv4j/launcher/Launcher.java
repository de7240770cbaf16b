package org.pikv4j.launcher;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.ProcessBuilder.Redirect;
import java.lang.module.ModuleFinder;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import org.jspecify.annotations.Nullable;
import org.pikv4j.launcher.IncubatorWarning.Stderr;

/**
 * The main class of the runnable jars. It runs on Java 17, finds a Java 25 (see {@link JavaFinder}), and starts there the
 * class that the jar's manifest names as {@code PiKV4J-Main}, with the JVM options that the engine needs.
 *
 * <p>A second JVM is needed even where the first is new enough: that a module be added cannot be said in a manifest.
 *
 * <p>The child has the console of the launcher. It hears Ctrl-C itself; SIGTERM is passed on to it. The launcher ends
 * after it, with its exit code.
 */
public final class Launcher {
    /** The exit code of every call that cannot be carried out; the real mains use the same one. */
    static final int USAGE = 2;

    private static final String MAIN_ATTRIBUTE = "PiKV4J-Main";
    private static final String OPTIONS_ATTRIBUTE = "PiKV4J-Options";
    private static final String OPTIONS_VARIABLE = "PIKV4J_JAVA_OPTS";

    private Launcher() {}

    /** Starts the real main with these arguments and ends with its exit code. */
    public static void main(String[] args) {
        int code;
        try {
            code = run(command(System.getenv(), args));
        } catch (LaunchException e) {
            System.err.println("pikv4j: " + e.getMessage());
            code = USAGE;
        }
        System.exit(code);
    }

    /** The command line of the child, but for what depends on the console. */
    private static List<String> command(Map<String, String> environment, String[] args) throws LaunchException {
        Path userHome = Path.of(System.getProperty("user.home", "."));
        List<JavaFinder.Place> places = JavaFinder.usualPlaces(userHome, environment);
        Java java = new JavaFinder(environment, running(), places).find();
        Path jar = ownJar();
        Manifest manifest = manifest(jar);
        String main = attribute(manifest, MAIN_ATTRIBUTE);
        if (main == null) {
            throw new LaunchException(
                    jar + " names no " + MAIN_ATTRIBUTE + ": it is not one of PiKV4J's runnable jars");
        }
        List<String> command = new ArrayList<>();
        command.add(java.executable().toString());
        command.addAll(options(environment, attribute(manifest, OPTIONS_ATTRIBUTE)));
        command.add("-cp");
        command.add(jar.toString());
        command.add(Child.class.getName());
        command.add(main);
        if (RawArguments.lost()) {
            command.add(1, RawArguments.option());
            for (String argument : RawArguments.restore(List.of(args))) {
                command.add(RawArguments.escape(Descriptors.ofLauncher(argument)));
            }
        } else {
            for (String argument : args) {
                command.add(Descriptors.ofLauncher(argument));
            }
        }
        return command;
    }

    /** The JVM options: the engine's, those of the jar, TornadoVM's, then the user's, which win. */
    static List<String> options(Map<String, String> environment, @Nullable String ofJar) throws LaunchException {
        List<String> options = new ArrayList<>();
        options.add("--add-modules=" + Java.VECTOR_MODULE);
        options.add("--enable-native-access=ALL-UNNAMED");
        if (ofJar != null) {
            options.addAll(Arguments.split(ofJar, OPTIONS_ATTRIBUTE));
        }
        List<String> others = new ArrayList<>(Tornado.options(environment));
        others.addAll(Arguments.split(environment.getOrDefault(OPTIONS_VARIABLE, ""), OPTIONS_VARIABLE));
        // Weights and cache lie outside of the heap, and a step makes next to no garbage. So: the collector with the
        // least memory of its own and the fastest start, and a small heap that grows only if it must. Naming two
        // collectors is an error to the JVM.
        if (!namesCollector(others)) {
            options.add("-XX:+UseSerialGC");
        }
        options.add("-Xms32m");
        options.addAll(others);
        return options;
    }

    private static boolean namesCollector(List<String> options) {
        for (String option : options) {
            if (option.startsWith("-XX:+Use") && option.endsWith("GC")) {
                return true;
            }
        }
        return false;
    }

    private static int run(List<String> command) throws LaunchException {
        Stderr stderr = IncubatorWarning.stderr(System.getenv());
        if (stderr == Stderr.TERMINAL) {
            command.add(1, IncubatorWarning.takeBackOption());
            int columns = Columns.find(System.getenv());
            if (columns > 0) {
                command.add(1, Columns.option(columns));
            }
        }
        ProcessBuilder builder = new ProcessBuilder(command).inheritIO();
        if (RawArguments.lost()) {
            RawArguments.setLocale(builder.environment());
        }
        if (stderr == Stderr.STREAM) {
            builder.redirectError(Redirect.PIPE);
        }
        // Before the child is there: a Ctrl-C in between would end the launcher alone.
        CompletableFuture<Process> started = new CompletableFuture<>();
        Interrupts.leaveTo(started);
        Process child;
        try {
            child = builder.start();
            started.complete(child);
        } catch (IOException e) {
            throw new LaunchException("Cannot start " + command.get(0) + ": " + e.getMessage());
        }
        Thread copier = stderr == Stderr.STREAM ? copier(child.getErrorStream()) : null;
        Runtime.getRuntime().addShutdownHook(new Thread(() -> end(child, copier)));
        return await(child, copier);
    }

    /** The shutdown hook: on SIGTERM and its like, the child ends first, and its code is ours. */
    private static void end(Process child, @Nullable Thread copier) {
        // By its handle: Process.destroy would also close the stream on which its last words come.
        child.toHandle().destroy();
        Runtime.getRuntime().halt(await(child, copier));
    }

    private static int await(Process child, @Nullable Thread copier) {
        while (child.isAlive()) {
            try {
                child.waitFor();
            } catch (InterruptedException e) {
                // Nobody interrupts these threads; if somebody did, the child would still be there to wait for.
            }
        }
        if (copier != null) {
            try {
                // With a limit: a process that the child has left behind may hold its stderr open.
                copier.join(2000);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        return child.exitValue();
    }

    private static Thread copier(InputStream in) {
        Thread thread = new Thread(() -> {
            // Where nobody reads our stderr any more the child must learn of it, or it waits for us when its pipe is
            // full.
            try (in;
                    OutputStream out = new FileOutputStream(FileDescriptor.err)) {
                IncubatorWarning.copyWithout(in, out);
            } catch (IOException e) {
                // Nobody reads our stderr any more, or the child is gone: there is nobody to tell.
            }
        });
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    private static Java running() {
        Runtime.Version version = Runtime.version();
        Path home = Path.of(System.getProperty("java.home"));
        boolean vector = version.feature() >= Java.REQUIRED
                && ModuleFinder.ofSystem().find(Java.VECTOR_MODULE).isPresent();
        return new Java(home, version.toString(), version.feature(), vector);
    }

    private static Path ownJar() throws LaunchException {
        try {
            return Path.of(Launcher.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
        } catch (URISyntaxException | RuntimeException e) {
            throw new LaunchException("Cannot tell which jar this is; start it with java -jar");
        }
    }

    private static Manifest manifest(Path jar) throws LaunchException {
        if (!Files.isRegularFile(jar)) {
            throw new LaunchException(jar + " is not a jar; start PiKV4J with java -jar");
        }
        try (JarFile file = new JarFile(jar.toFile())) {
            Manifest manifest = file.getManifest();
            return manifest == null ? new Manifest() : manifest;
        } catch (IOException e) {
            throw new LaunchException("Cannot read " + jar + ": " + e.getMessage());
        }
    }

    private static @Nullable String attribute(Manifest manifest, String name) {
        return manifest.getMainAttributes().getValue(name);
    }
}
