package org.pikv4j.cli;

import java.io.IOException;
import java.io.PrintWriter;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;

/** A command's stdout: what is printed is on its way at once, and a reader who has gone ends the command. */
public final class Output {
    private final PrintWriter writer;

    private Output(PrintWriter writer) {
        this.writer = writer;
    }

    /**
     * @param spec the command
     * @return its stdout
     */
    public static Output of(CommandSpec spec) {
        return new Output(spec.commandLine().getOut());
    }

    /**
     * @param text written as it is, and flushed
     */
    public void print(String text) {
        writer.print(text);
        if (writer.checkError()) {
            throw new Failed(writer instanceof StandardOutput stdout ? stdout.failure() : null);
        }
    }

    /**
     * @param line written with a line break, and flushed
     */
    public void println(String line) {
        print(line + "\n");
    }

    /** Nothing can be written to stdout any more. */
    static final class Failed extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Failed(@Nullable IOException cause) {
            super(cause == null ? "cannot be written to" : String.valueOf(cause.getMessage()), cause);
        }

        /** Whether it is the reader who has gone, as {@code head} does: nothing to complain about. */
        boolean brokenPipe() {
            String message = String.valueOf(getMessage());
            return message.contains("Broken pipe") || message.contains("pipe is being closed");
        }
    }
}
