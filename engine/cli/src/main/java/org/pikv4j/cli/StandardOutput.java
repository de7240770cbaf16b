package org.pikv4j.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.FilterWriter;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** The process's stdout in UTF-8, which remembers why writing failed: a plain {@link PrintWriter} says only that it did. */
final class StandardOutput extends PrintWriter {
    private final Remembering target;

    StandardOutput() {
        this(new Remembering());
    }

    private StandardOutput(Remembering target) {
        super(target, false);
        this.target = target;
    }

    /**
     * @return the first failure, if there was one
     */
    @Nullable
    IOException failure() {
        return target.failure;
    }

    private static final class Remembering extends FilterWriter {
        private @Nullable IOException failure;

        Remembering() {
            super(new OutputStreamWriter(new FileOutputStream(FileDescriptor.out), StandardCharsets.UTF_8));
        }

        @Override
        public void write(int character) throws IOException {
            remembering(() -> out.write(character));
        }

        @Override
        public void write(char[] buffer, int offset, int length) throws IOException {
            remembering(() -> out.write(buffer, offset, length));
        }

        @Override
        public void write(String text, int offset, int length) throws IOException {
            remembering(() -> out.write(text, offset, length));
        }

        @Override
        public void flush() throws IOException {
            remembering(out::flush);
        }

        private void remembering(Write write) throws IOException {
            try {
                write.run();
            } catch (IOException e) {
                if (failure == null) {
                    failure = e;
                }
                throw e;
            }
        }

        @FunctionalInterface
        private interface Write {
            void run() throws IOException;
        }
    }
}
