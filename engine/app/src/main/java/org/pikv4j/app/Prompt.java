package org.pikv4j.app;

import java.io.InputStream;
import java.util.Optional;
import org.pikv4j.cli.TextFile;
import picocli.CommandLine.Option;

/** Where the prompt comes from: one of the two options. */
final class Prompt {
    @Option(names = "--prompt", paramLabel = "TEXT", required = true, description = "The text to continue.")
    private Optional<String> text = Optional.empty();

    @Option(
            names = "--prompt-file",
            paramLabel = "FILE",
            required = true,
            description = "A file with the text to continue, UTF-8, to the last byte; - for stdin.")
    private Optional<String> file = Optional.empty();

    /**
     * @param stdin what stdin is
     * @return the prompt
     * @throws org.pikv4j.error.InvalidOptionException if the file cannot be read, or is no UTF-8
     */
    String read(InputStream stdin) {
        return text.orElseGet(() -> TextFile.read("--prompt-file", file.orElseThrow(), stdin));
    }
}
