package org.pikv4j.text;

import java.util.Locale;

/** How many of something, as people say it. */
public final class Plural {
    private Plural() {}

    /**
     * @param count how many
     * @param noun what one of them is called; several end with an s
     * @return for instance {@code 1 page} or {@code 2,048 pages}
     */
    public static String of(long count, String noun) {
        return String.format(Locale.ROOT, "%,d %s%s", count, noun, count == 1 ? "" : "s");
    }
}
