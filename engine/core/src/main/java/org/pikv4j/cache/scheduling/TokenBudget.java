package org.pikv4j.cache.scheduling;

import java.util.Locale;
import org.pikv4j.error.InvalidOptionException;

/**
 * How many tokens a sequence may keep in each layer and KV head: so many, or a share of its length.
 *
 * @param tokens a number of tokens; 0 where a share is meant
 * @param share a share of the length; 0 where a number is meant
 */
public record TokenBudget(int tokens, double share) {
    private static final String TOKENS = "tok";
    private static final String SHARE = "%";

    public TokenBudget {
        if (tokens < 0 || !(share >= 0 && share <= 1) || (tokens > 0) == (share > 0)) {
            throw new InvalidOptionException("a token budget is a positive number of tokens, or a share of up to 100%");
        }
    }

    /**
     * @param text an option's value
     * @return whether it is a token budget, and not a number of bytes
     */
    public static boolean isMeant(String text) {
        return text.endsWith(TOKENS) || text.endsWith(SHARE);
    }

    /**
     * @param text {@code 1024tok} or {@code 25%}
     * @return the budget
     */
    public static TokenBudget parse(String text) {
        try {
            if (text.endsWith(SHARE)) {
                double percent = Double.parseDouble(text.substring(0, text.length() - SHARE.length()));
                if (percent > 0 && percent <= 100) {
                    return new TokenBudget(0, percent / 100);
                }
            } else if (text.endsWith(TOKENS)) {
                int tokens = Integer.parseInt(text.substring(0, text.length() - TOKENS.length()));
                if (tokens > 0) {
                    return new TokenBudget(tokens, 0);
                }
            }
        } catch (NumberFormatException e) {
            // said below
        }
        throw new InvalidOptionException(
                "'" + text + "' is not a budget: 512MiB for the engine, 1024tok or 25% for a session");
    }

    /**
     * @param length tokens of a sequence
     * @return how many of them it may keep
     */
    public int of(int length) {
        return tokens > 0 ? tokens : (int) Math.floor(share * length);
    }

    @Override
    public String toString() {
        return tokens > 0 ? tokens + TOKENS : String.format(Locale.ROOT, "%s%s", trimmed(100 * share), SHARE);
    }

    private static String trimmed(double number) {
        return number == Math.rint(number) ? Integer.toString((int) number) : Double.toString(number);
    }
}
