package org.pikv4j.app;

import java.io.InputStream;
import java.util.Optional;
import org.pikv4j.cli.TextFile;
import org.pikv4j.error.InvalidOptionException;
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
     * @throws InvalidOptionException if the file cannot be read or is no UTF-8, or if there is nothing to continue
     */
    String read(InputStream stdin) {
        String prompt = text.isPresent() ? text.get() : TextFile.read("--prompt-file", file.orElseThrow(), stdin);
        return notEmpty(source(), prompt);
    }

    /**
     * @return the option that gave it, and the file's name
     */
    String source() {
        return text.isPresent()
                ? "--prompt"
                : "--prompt-file "
                        + file.map(name -> name.equals(TextFile.STDIN) ? TextFile.STDIN_NAME : name)
                                .orElseThrow();
    }

    /** A model can be asked to begin with nothing, but who does so has mostly got a variable or a file wrong. */
    private static String notEmpty(String source, String prompt) {
        if (prompt.isEmpty()) {
            throw new InvalidOptionException(source + ": the prompt is empty, there is nothing to continue");
        }
        return prompt;
    }
}
