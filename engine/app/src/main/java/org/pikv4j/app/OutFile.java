package org.pikv4j.app;

import java.nio.file.Files;
import java.nio.file.Path;
import org.pikv4j.error.InvalidOptionException;

/**
 * A file that an option names, to be written.
 *
 * @param option the option
 * @param path where it shall be
 */
record OutFile(String option, Path path) {

    /**
     * The file that {@code --out} names.
     *
     * @param path where it shall be
     */
    OutFile(Path path) {
        this("--out", path);
    }

    /**
     * The same as {@link #check}, for what nobody would want to replace by mistake.
     *
     * @throws InvalidOptionException if no file can be there, or one is
     */
    void checkNew() {
        check();
        if (Files.exists(path)) {
            throw cannotWrite("is there already");
        }
    }

    /**
     * Says what can be said before a model is loaded; the rest shows when the file is written.
     *
     * @throws InvalidOptionException if no file can be there
     */
    void check() {
        Path directory = path.toAbsolutePath().getParent();
        if (Files.exists(path) && !Files.isRegularFile(path)) {
            throw cannotWrite(Files.isDirectory(path) ? "is a directory" : "is no regular file");
        }
        if (directory == null || !Files.isDirectory(directory)) {
            throw cannotWrite("its directory does not exist");
        }
        if (!Files.isWritable(directory)) {
            throw cannotWrite("its directory cannot be written to");
        }
    }

    /**
     * @param reason why not
     * @return the error to throw
     */
    InvalidOptionException cannotWrite(String reason) {
        return new InvalidOptionException(option + " " + path + ": " + reason);
    }
}
