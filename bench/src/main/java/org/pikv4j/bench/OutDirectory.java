package org.pikv4j.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.pikv4j.cli.Json;
import org.pikv4j.cli.TextFile;
import org.pikv4j.error.InvalidOptionException;
import picocli.CommandLine.Option;

/** The option {@code --out DIR} of the commands that measure. */
public final class OutDirectory {
    @Option(names = "--out", paramLabel = "DIR", description = "Also write JSON and pictures to this directory.")
    private Optional<Path> directory = Optional.empty();

    /** Writes something into a directory. */
    @FunctionalInterface
    public interface Content {
        void write(Path file) throws IOException;
    }

    /**
     * Checks, before anything is measured, that the directory can be written to.
     *
     * @throws InvalidOptionException if it cannot
     */
    public void prepare() {
        directory.ifPresent(path -> {
            try {
                Files.createDirectories(path);
            } catch (IOException e) {
                throw new InvalidOptionException("--out " + path + ": cannot be made: " + TextFile.reason(e));
            }
            if (!Files.isWritable(path)) {
                throw new InvalidOptionException("--out " + path + ": cannot be written to");
            }
        });
    }

    /**
     * @param name the file's name
     * @param content writes it; not called without {@code --out}
     */
    public void write(String name, Content content) {
        directory.ifPresent(path -> {
            try {
                content.write(path.resolve(name));
            } catch (IOException e) {
                throw new InvalidOptionException(
                        "--out " + path.resolve(name) + ": cannot be written: " + TextFile.reason(e));
            }
        });
    }

    /**
     * @param name the file's name
     * @param value what becomes JSON
     */
    public void json(String name, Object value) {
        write(name, file -> Files.writeString(file, Json.indented(value) + "\n"));
    }
}
