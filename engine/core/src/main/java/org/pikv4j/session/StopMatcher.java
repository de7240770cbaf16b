package org.pikv4j.session;

import java.util.List;

/** Lets text through up to the first stop string, and holds back what may yet become one. */
final class StopMatcher {
    private final List<String> stops;
    private final StringBuilder held = new StringBuilder();
    private boolean matched;

    StopMatcher(List<String> stops) {
        this.stops = stops;
    }

    /**
     * @param text the next piece
     * @return what may be shown
     */
    String accept(String text) {
        if (matched) {
            return "";
        }
        held.append(text);
        int end = -1;
        for (String stop : stops) {
            int at = held.indexOf(stop);
            if (at >= 0 && (end < 0 || at < end)) {
                end = at;
            }
        }
        matched = end >= 0;
        return take(matched ? end : held.length() - longestPrefix());
    }

    boolean matched() {
        return matched;
    }

    /**
     * @return what was held back and turned out to be no stop string
     */
    String finish() {
        return matched ? "" : take(held.length());
    }

    private String take(int count) {
        String text = held.substring(0, count);
        held.delete(0, count);
        return text;
    }

    /** Length of the longest end of the held text that a stop string begins with. */
    private int longestPrefix() {
        int longest = 0;
        for (String stop : stops) {
            for (int n = Math.min(stop.length() - 1, held.length()); n > longest; n--) {
                if (stop.startsWith(held.substring(held.length() - n))) {
                    longest = n;
                }
            }
        }
        return longest;
    }
}
