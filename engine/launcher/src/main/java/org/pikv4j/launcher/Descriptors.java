package org.pikv4j.launcher;

import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Files that a shell hands over as open descriptors, as {@code --prompt-file <(command)} does by the name
 * {@code /dev/fd/63}. Java closes all but the first three when it starts a child, so the child is given the name under which
 * Linux lets it open the launcher's: the launcher lives as long as the child.
 */
final class Descriptors {
    private static final Pattern NAME = Pattern.compile("(-[^=]*=)?(?:/dev|/proc/self)/fd/([1-9]?\\d{1,8})");

    private Descriptors() {}

    /** The argument itself, unless it names a descriptor that only the launcher has. */
    static String ofLauncher(String argument) {
        Matcher matcher = NAME.matcher(argument);
        if (!matcher.matches() || Integer.parseInt(matcher.group(2)) <= 2) {
            return argument;
        }
        Path link = Path.of("/proc/" + ProcessHandle.current().pid() + "/fd/" + matcher.group(2));
        if (!Files.exists(link, LinkOption.NOFOLLOW_LINKS)) {
            return argument;
        }
        return (matcher.group(1) == null ? "" : matcher.group(1)) + link;
    }
}
