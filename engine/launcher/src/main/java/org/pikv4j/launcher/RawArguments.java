package org.pikv4j.launcher;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Arguments beyond ASCII in the C locale, which is what a container or a cron job has if nobody sets another. A JVM loses
 * such characters twice there: when it reads its own arguments, and when it passes them to a child. So the launcher reads
 * them as the system keeps them, in UTF-8, and hands them on spelled in ASCII; the child, which gets a locale that can name
 * files in UTF-8, spells them back.
 */
final class RawArguments {
    private static final String PROPERTY = "pikv.launcher.escaped";

    private RawArguments() {}

    /** Whether this JVM cannot read what is not ASCII. */
    static boolean lost() {
        String name = System.getProperty("sun.jnu.encoding", "UTF-8");
        return Charset.isSupported(name) && Charset.forName(name).equals(StandardCharsets.US_ASCII);
    }

    /** The option that tells the child to spell its arguments back. */
    static String option() {
        return "-D" + PROPERTY + "=true";
    }

    /** Gives a child a locale of UTF-8 that every current Linux has. */
    static void setLocale(Map<String, String> environment) {
        environment.put("LC_ALL", "C.UTF-8");
    }

    /** The arguments of this process as they were given, or as the JVM sees them where that cannot be told. */
    static List<String> restore(List<String> args) {
        try {
            List<String> all = parse(Files.readAllBytes(Path.of("/proc/self/cmdline")));
            return all.size() < args.size() ? args : all.subList(all.size() - args.size(), all.size());
        } catch (IOException | UnsupportedOperationException e) {
            return args; // no /proc, or no UTF-8
        }
    }

    /** Strings that each end with a zero byte. */
    static List<String> parse(byte[] commandLine) throws CharacterCodingException {
        List<String> strings = new ArrayList<>();
        int from = 0;
        for (int i = 0; i < commandLine.length; i++) {
            if (commandLine[i] == 0) {
                ByteBuffer bytes = ByteBuffer.wrap(commandLine, from, i - from);
                strings.add(StandardCharsets.UTF_8.newDecoder().decode(bytes).toString());
                from = i + 1;
            }
        }
        return strings;
    }

    static String escape(String text) {
        StringBuilder ascii = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < 128 && c != '\\') {
                ascii.append(c);
            } else {
                ascii.append(String.format("\\%04x", (int) c));
            }
        }
        return ascii.toString();
    }

    static String unescape(String ascii) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < ascii.length(); i++) {
            char c = ascii.charAt(i);
            if (c == '\\') {
                text.append((char) Integer.parseInt(ascii.substring(i + 1, i + 5), 16));
                i += 4;
            } else {
                text.append(c);
            }
        }
        return text.toString();
    }

    /** In the child: spells the arguments back, if the launcher has said that they are escaped. */
    static String[] spellBack(String[] args) {
        String[] spelled = args.clone();
        if (Boolean.getBoolean(PROPERTY)) {
            for (int i = 0; i < spelled.length; i++) {
                spelled[i] = unescape(spelled[i]);
            }
        }
        return spelled;
    }
}
