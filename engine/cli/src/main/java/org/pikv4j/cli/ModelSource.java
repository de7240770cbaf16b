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
     */
    record Directory(Path path) implements ModelSource {
        @Override
        public String name() {
            return path.toString();
        }

        @Override
        public void close() {}
    }
}
