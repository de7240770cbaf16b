package org.pikv4j.cache.storage;

import java.nio.file.Path;

/**
 * Where files of the second tier are made. A directory that lives in memory, as {@code /tmp} does on some systems, gains
 * nothing.
 *
 * @param path an existing directory
 * @param mostBytes the most that one file may take
 */
public record TierDirectory(Path path, long mostBytes) {

    /** The directory for temporary files, as far as there is room. */
    public static final TierDirectory DEFAULT =
            new TierDirectory(Path.of(System.getProperty("java.io.tmpdir")), Long.MAX_VALUE);
}
