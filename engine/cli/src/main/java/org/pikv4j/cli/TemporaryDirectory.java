package org.pikv4j.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.UserPrincipal;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;

/**
 * A directory that is deleted with all that is in it: when it is closed, or else when the process ends, also by Ctrl-C. A
 * process that is killed outright deletes nothing; the next one that asks for a directory of the same prefix does.
 *
 * <p>A lock on a file within tells whether the owner lives. The system gives it up with the process, however that ends, and
 * it holds between containers that share the directory for temporary files but not the numbers of processes.
 */
public final class TemporaryDirectory implements AutoCloseable {
    private static final String LOCK = ".lock";

    /** Between making the lock's file and locking it a directory looks abandoned. */
    private static final Duration GRACE = Duration.ofMinutes(1);

    private final Path path;
    private final FileChannel lock;
    private final Thread hook = new Thread(this::delete, "delete-temporary-directory");

    /**
     * @param prefix how its name begins
     */
    public TemporaryDirectory(String prefix) {
        // A process loses all its locks on a file when it closes one channel to it, so it must not open its own again.
        String own = prefix + ProcessHandle.current().pid() + "-";
        try {
            path = Files.createTempDirectory(own);
            lock = FileChannel.open(path.resolve(LOCK), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Runtime.getRuntime().addShutdownHook(hook);
        try {
            FileLock _ = lock.tryLock();
            deleteAbandoned(prefix, own);
        } catch (IOException e) {
            // A file system without locks: whatever lies there may be in use.
        }
    }

    public Path path() {
        return path;
    }

    @Override
    public void close() {
        delete();
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The process is ending: the hook runs, and finds nothing left to do.
        }
    }

    private synchronized void delete() {
        try {
            lock.close();
        } catch (IOException e) {
            // Then it is given up when the process ends.
        }
        delete(path);
    }

    private void deleteAbandoned(String prefix, String own) throws IOException {
        UserPrincipal owner = Files.getOwner(path);
        try (DirectoryStream<Path> others = Files.newDirectoryStream(path.resolveSibling(""), prefix + "*")) {
            for (Path other : others) {
                if (!String.valueOf(other.getFileName()).startsWith(own) && abandoned(other, owner)) {
                    delete(other);
                }
            }
        }
    }

    private static boolean abandoned(Path directory, UserPrincipal owner) {
        Path file = directory.resolve(LOCK);
        try {
            // Only what is ours: nobody else can then put links in the way of what is deleted.
            if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)
                    || !Files.getOwner(directory, LinkOption.NOFOLLOW_LINKS).equals(owner)
                    || !Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
                    || Files.getLastModifiedTime(file)
                            .toInstant()
                            .isAfter(Instant.now().minus(GRACE))) {
                return false;
            }
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
                    FileLock free = channel.tryLock()) {
                return free != null;
            }
        } catch (IOException | OverlappingFileLockException e) {
            return false; // somebody else is deleting it, or it cannot be told
        }
    }

    private static void delete(Path directory) {
        if (!Files.exists(directory)) {
            return;
        }
        try (Stream<Path> all = Files.walk(directory)) {
            List<Path> deepestFirst = all.sorted((a, b) -> b.compareTo(a)).toList();
            for (Path each : deepestFirst) {
                Files.deleteIfExists(each);
            }
        } catch (IOException | UncheckedIOException e) {
            // What somebody else deletes at the same time, or holds on to, is left to the system.
        }
    }
}
