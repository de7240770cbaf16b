package org.pikv4j.cli;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Model.CommandSpec;

/**
 * Makes what is said about an option begin with the option as it is typed. The library names options as its builder does,
 * without dashes; picocli puts words of its own first.
 */
final class OptionNames {
    private static final Pattern LIBRARY = Pattern.compile("([a-z][a-z-]*) .*", Pattern.DOTALL);
    private static final Pattern PICOCLI =
            Pattern.compile("Invalid value for option '([^']+)'(?: \\([^)]*\\))?: (.*)", Pattern.DOTALL);

    private OptionNames() {}

    /**
     * @param message what the library says, for instance {@code temperature must be ...}
     * @param spec the command whose options count
     * @return the same about {@code --temperature}; what does not begin with the name of an option stays as it is
     */
    static String ofLibrary(String message, CommandSpec spec) {
        Matcher matcher = LIBRARY.matcher(message);
        return matcher.matches() && spec.optionsMap().containsKey("--" + matcher.group(1)) ? "--" + message : message;
    }

    /**
     * @param message what picocli says of a value
     * @return the option, and what is wrong in terms of people rather than of Java
     */
    static String ofPicocli(String message) {
        Matcher matcher = PICOCLI.matcher(message);
        if (!matcher.matches()) {
            return message;
        }
        return matcher.group(1) + ": "
                + matcher.group(2)
                        .replaceFirst(" is not an? (?:int|long)$", " is not a whole number, or too large")
                        .replaceFirst(" is not a (?:float|double)$", " is not a number");
    }
}
