package org.pikv4j.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.pikv4j.cache.scheduling.PolicyChoice;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.model.AttentionSpec;

/** Policies one behind the other, as {@code --policies} of several commands has them. */
public final class PolicyList {
    private PolicyList() {}

    /**
     * Splits a list at {@code ;} and {@code ,}. A comma within brackets, or before {@code option=}, belongs to the policy.
     *
     * @param list an option's value
     * @return the policies, as {@code --kv-policy} of other commands spells them
     * @throws InvalidOptionException if one of them is empty
     */
    public static List<String> split(String list) {
        List<String> policies = new ArrayList<>();
        int from = 0;
        int depth = 0;
        for (int i = 0; i <= list.length(); i++) {
            char c = i < list.length() ? list.charAt(i) : ';';
            depth += c == '(' ? 1 : c == ')' ? -1 : 0;
            if (c == ';' || c == ',' && depth == 0 && !isOption(list.substring(i + 1))) {
                policies.add(list.substring(from, i).strip());
                from = i + 1;
            }
        }
        if (policies.contains("")) {
            throw new InvalidOptionException("--policies names an empty policy");
        }
        return policies;
    }

    private static boolean isOption(String rest) {
        int end = 0;
        while (end < rest.length()
                && (Character.isLetterOrDigit(rest.charAt(end)) || "- ".indexOf(rest.charAt(end)) >= 0)) {
            end++;
        }
        return end < rest.length() && rest.charAt(end) == '=';
    }

    /**
     * @param spec a policy
     * @return what it is
     * @throws InvalidOptionException if there is no such policy; what the library knows as kv-policy has another name here
     */
    public static PolicyChoice parse(String spec) {
        return renaming(() -> PolicyChoice.parse(spec));
    }

    /**
     * @param choice a policy
     * @param layers the attention of each of a model's layers
     * @throws InvalidOptionException if it makes no sense for them
     */
    public static void check(PolicyChoice choice, List<AttentionSpec> layers) {
        renaming(() -> {
            choice.policy().check(layers);
            return choice;
        });
    }

    private static PolicyChoice renaming(Supplier<PolicyChoice> action) {
        try {
            return action.get();
        } catch (InvalidOptionException e) {
            throw new InvalidOptionException(String.valueOf(e.getMessage()).replaceFirst("^kv-policy", "--policies"));
        }
    }
}
