package org.pikv4j.loader;

import java.nio.file.Files;
import java.nio.file.Path;

/** The tiny checkpoints that the tests of this and other modules read, as files. */
public final class Fixtures {
    private static final Path HOME = Path.of("model-loader", "src", "test", "resources", "fixtures");

    private Fixtures() {}

    /**
     * @param name a checkpoint, for instance {@code mixtral}
     * @return its directory in the source tree, whatever module's directory the tests run in
     */
    public static Path checkpoint(String name) {
        Path start = Path.of("").toAbsolutePath();
        for (Path up = start; up != null; up = up.getParent()) {
            Path found = up.resolve(HOME).resolve(name);
            if (Files.isDirectory(found)) {
                return found;
            }
        }
        throw new IllegalStateException("no " + HOME.resolve(name) + " above " + start);
    }
}
