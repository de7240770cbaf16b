package org.pikv4j;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/**
 * Which PiKV4J this is.
 *
 * @param number the release it is, or will become, as {@code 0.1.0}
 * @param snapshot whether it was built on the way to that release
 */
public record Version(String number, boolean snapshot) {
    private static final String SNAPSHOT = "-SNAPSHOT";

    /** The version of the classes that are running, as the build wrote it. */
    public static Version current() {
        Properties properties = new Properties();
        try (InputStream in = Version.class.getResourceAsStream("version.properties")) {
            if (in == null) {
                throw new IllegalStateException("version.properties is missing from the jar of PiKV4J");
            }
            properties.load(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return parse(properties.getProperty("version", "unknown"));
    }

    static Version parse(String text) {
        return text.endsWith(SNAPSHOT)
                ? new Version(text.substring(0, text.length() - SNAPSHOT.length()), true)
                : new Version(text, false);
    }

    /** One line for {@code --version}: the number, then what else a bug report needs. */
    public String line() {
        return "PiKV4J " + number + " (" + (snapshot ? "snapshot, " : "") + "Java " + Runtime.version() + ", "
                + System.getProperty("os.name") + " " + System.getProperty("os.arch") + ")";
    }
}
