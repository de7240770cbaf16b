package org.pikv4j.error;

import java.nio.file.Path;

/** A file of a model is missing, damaged, or of a kind that this version does not know. */
public final class ModelFormatException extends PiKVException {
    private static final long serialVersionUID = 1L;

    /**
     * @param file the file at fault
     * @param detail what is wrong with it, naming the field or tensor; one line
     */
    public ModelFormatException(Path file, String detail) {
        super(file + ": " + detail);
    }

    /**
     * @param file the file at fault
     * @param detail what is wrong with it, naming the field or tensor; one line
     * @param cause the reader's own exception
     */
    public ModelFormatException(Path file, String detail, Throwable cause) {
        super(file + ": " + detail, cause);
    }
}
