package org.pikv4j.cli;

import org.pikv4j.Version;
import picocli.CommandLine.IVersionProvider;

/** What {@code --version} prints. */
public final class Versions implements IVersionProvider {
    @Override
    public String[] getVersion() {
        return new String[] {Version.current().line()};
    }
}
