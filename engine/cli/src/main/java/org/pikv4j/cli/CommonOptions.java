package org.pikv4j.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** What every command understands. */
@Command(optionListHeading = "%nGeneral options:%n", mixinStandardHelpOptions = true, versionProvider = Versions.class)
public final class CommonOptions {

    /** Logs go to stderr and hold warnings only, until this is set. */
    @Option(
            names = {"-v", "--verbose"},
            description = "Say on stderr what is done and why, for instance how the backend was chosen.")
    void verbose(boolean on) {
        if (on && LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
            context.getLogger(Logger.ROOT_LOGGER_NAME).setLevel(Level.INFO);
        }
    }
}
