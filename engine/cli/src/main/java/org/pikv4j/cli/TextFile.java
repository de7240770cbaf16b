package org.pikv4j.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.pikv4j.error.InvalidOptionException;

/** Text that the user hands over in a file or on stdin: UTF-8, to the last byte, or an error that says where it is not. */
public final class TextFile {
    /** The name that stands for stdin. */
    public static final String STDIN = "-";
    /** What messages call it. */
    public static final String STDIN_NAME = "stdin";

    private static final int MAX_BYTES = 1 << 30;

    private TextFile() {}

    /**
     * @param option the option that named the file
     * @param name a path, or {@code -} for stdin
     * @param stdin what stdin is
     * @return the text
     * @throws InvalidOptionException naming the option, the file, and the byte that is no UTF-8
     */
    public static String read(String option, String name, InputStream stdin) {
        if (name.isEmpty()) {
            throw new InvalidOptionException(option + ": the name of the file is empty");
        }
        boolean fromStdin = name.equals(STDIN);
        String source = fromStdin ? STDIN_NAME : name;
        try (InputStream in = fromStdin ? stdin : Files.newInputStream(Path.of(name))) {
            byte[] bytes = in.readNBytes(MAX_BYTES);
            if (bytes.length == MAX_BYTES) {
                throw new InvalidOptionException(option + " " + source + ": more than a gigabyte");
            }
            return decode(option + " " + source, bytes);
        } catch (IOException e) {
            throw new InvalidOptionException(option + " " + source + ": " + reason(e));
        } catch (InvalidPathException e) {
            throw new InvalidOptionException(option + " " + source + ": not a path: " + e.getReason());
        }
    }

    /**
     * @param source what to call the bytes
     * @param bytes text in UTF-8
     * @return the text
     * @throws InvalidOptionException naming the source and the first byte that is no UTF-8
     */
    public static String decode(String source, byte[] bytes) {
        CharsetDecoder decoder = StandardCharsets.UTF_8
                .newDecoder()
                .onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT);
        ByteBuffer in = ByteBuffer.wrap(bytes);
        CharBuffer out = CharBuffer.allocate(bytes.length);
        if (decoder.decode(in, out, true).isError()) {
            throw new InvalidOptionException(
                    source + ": invalid UTF-8 at byte " + in.position() + " of " + bytes.length);
        }
        return out.flip().toString();
    }

    /**
     * @param e what went wrong with a file
     * @return why, in words of people
     */
    public static String reason(IOException e) {
        return switch (e) {
            case NoSuchFileException missing -> "no such file or directory";
            case AccessDeniedException denied -> "permission denied";
            case FileAlreadyExistsException taken -> taken.getFile() + " is there, and is no directory";
            case FileSystemException other when other.getReason() != null -> other.getReason();
            default -> e.getMessage() == null ? e.toString() : e.getMessage();
        };
    }
}
