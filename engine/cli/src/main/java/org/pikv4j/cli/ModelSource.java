package org.pikv4j.cli;

import java.nio.file.Path;

/** Where a command's model lies for as long as it runs. */
public sealed interface ModelSource extends AutoCloseable permits ModelSource.Directory, DemoModel {

    /**
     * @return its directory
     */
    Path path();

    /**
     * @return what to call it towards people
     */
    String name();

    @Override
    void close();

    /**
     * A model on disk, which stays.
     *
     * @param path its directory
     * @param name as it was asked for: the directory, or an id
     */
    record Directory(Path path, String name) implements ModelSource {
        @Override
        public void close() {}
    }
}
