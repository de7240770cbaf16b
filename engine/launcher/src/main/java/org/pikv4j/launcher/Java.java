package org.pikv4j.launcher;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * An installed Java, as its {@code release} file describes it: asking each one by starting it would cost a tenth of a
 * second apiece.
 *
 * @param home the folder that holds {@code bin}
 * @param version as the file has it, for example {@code 25.0.1}
 * @param feature the first number of the version that counts: 25 for {@code 25.0.1}, 8 for {@code 1.8.0_452}
 * @param vector whether it comes with the Vector API; a runtime trimmed by jlink may not
 */
record Java(Path home, String version, int feature, boolean vector) {
    /** The oldest Java that the engine runs on. */
    static final int REQUIRED = 25;

    static final String VECTOR_MODULE = "jdk.incubator.vector";

    /** The Java in this folder; nothing if there is none, or if it does not say which one it is. */
    static Optional<Java> in(Path home) {
        if (!Files.isExecutable(executable(home))) {
            return Optional.empty();
        }
        String version = null;
        String modules = null;
        try {
            // Latin-1 never fails, and what is read here is ASCII.
            for (String line : Files.readAllLines(home.resolve("release"), StandardCharsets.ISO_8859_1)) {
                if (line.startsWith("JAVA_VERSION=")) {
                    version = value(line);
                } else if (line.startsWith("MODULES=")) {
                    modules = value(line);
                }
            }
        } catch (IOException e) {
            return Optional.empty();
        }
        if (version == null) {
            return Optional.empty();
        }
        // A distribution that lists no modules is taken at its word: it is then not one that jlink has trimmed.
        boolean vector = modules == null || (" " + modules + " ").contains(" " + VECTOR_MODULE + " ");
        return Optional.of(new Java(home, version, feature(version), vector));
    }

    boolean usable() {
        return feature >= REQUIRED && vector;
    }

    /** Why it is not usable. */
    String shortcoming() {
        return feature < REQUIRED ? "is Java " + version : "lacks the module " + VECTOR_MODULE;
    }

    Path executable() {
        return executable(home);
    }

    private static Path executable(Path home) {
        Path windows = home.resolve("bin").resolve("java.exe");
        return Files.exists(windows) ? windows : home.resolve("bin").resolve("java");
    }

    private static String value(String line) {
        String value = line.substring(line.indexOf('=') + 1).strip();
        boolean quoted = value.length() >= 2 && value.startsWith("\"") && value.endsWith("\"");
        return quoted ? value.substring(1, value.length() - 1) : value;
    }

    /** The feature number in a version string, 0 if it has none. */
    static int feature(String version) {
        int first = number(version, 0);
        return first == 1 && version.startsWith("1.") ? number(version, 2) : first;
    }

    private static int number(String text, int from) {
        int n = 0;
        for (int i = from; i < text.length() && text.charAt(i) >= '0' && text.charAt(i) <= '9' && n < 100_000; i++) {
            n = 10 * n + (text.charAt(i) - '0');
        }
        return n;
    }
}
