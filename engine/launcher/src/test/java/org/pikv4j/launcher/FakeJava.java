package org.pikv4j.launcher;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Folders that look like an installed Java. */
final class FakeJava {
    private FakeJava() {}

    static Path install(Path home, String release) throws IOException {
        Path bin = Files.createDirectories(home.resolve("bin"));
        Path java = Files.writeString(bin.resolve("java"), "");
        if (!java.toFile().setExecutable(true)) {
            throw new IOException("cannot make " + java + " executable");
        }
        Files.writeString(home.resolve("release"), release);
        return home;
    }

    static Path version(Path home, String version) throws IOException {
        return install(
                home,
                "IMPLEMENTOR=\"Somebody\"\nJAVA_VERSION=\"" + version
                        + "\"\nMODULES=\"java.base jdk.incubator.vector jdk.unsupported\"\n");
    }
}
