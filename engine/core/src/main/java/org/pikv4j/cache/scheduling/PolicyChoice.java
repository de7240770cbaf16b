package org.pikv4j.cache.scheduling;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.pikv4j.cache.scheduling.policies.BuiltInPolicies;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.extension.Extensions;

/**
 * A policy and what it must not touch.
 *
 * @param policy scores tokens
 * @param protection stays whatever their scores
 */
public record PolicyChoice(EvictionPolicy policy, Protection protection) {

    /**
     * @param policy scores tokens
     */
    public PolicyChoice(EvictionPolicy policy) {
        this(policy, Protection.DEFAULT);
    }

    /**
     * Reads {@code NAME[(INNER)][:option=value,…]}, INNER being the same again. Every policy has the options {@code sinks} and
     * {@code window}, which stand behind the outermost.
     *
     * @param spec an option's value
     * @return the policy
     * @throws InvalidOptionException if there is no such policy or option
     */
    public static PolicyChoice parse(String spec) {
        Map<String, String> options = new LinkedHashMap<>();
        String head = head(spec, options);
        PolicyOptions common = new PolicyOptions(head, options, Optional.empty());
        int sinks = common.number("sinks", Protection.DEFAULT.sinks(), 0);
        int window = common.number("window", Protection.DEFAULT.window(), 0);
        options.remove("sinks");
        options.remove("window");
        return new PolicyChoice(policy(head, options), new Protection(sinks, window));
    }

    /** The part before the options, which go into the map. */
    private static String head(String spec, Map<String, String> options) {
        int colon = spec.indexOf(':', spec.lastIndexOf(')') + 1);
        if (colon < 0) {
            return spec;
        }
        for (String option : spec.substring(colon + 1).split(",", -1)) {
            int equals = option.indexOf('=');
            if (equals < 1 || options.put(option.substring(0, equals), option.substring(equals + 1)) != null) {
                throw new InvalidOptionException(
                        "kv-policy '" + spec + "': options are name=value, each once, with commas between");
            }
        }
        return spec.substring(0, colon);
    }

    private static EvictionPolicy policy(String head, Map<String, String> values) {
        int bracket = head.indexOf('(');
        Optional<EvictionPolicy> inner = Optional.empty();
        String name = head;
        if (bracket >= 0) {
            if (!head.endsWith(")")) {
                throw new InvalidOptionException("kv-policy '" + head + "': a bracket is missing");
            }
            Map<String, String> innerOptions = new LinkedHashMap<>();
            String innerHead = head(head.substring(bracket + 1, head.length() - 1), innerOptions);
            inner = Optional.of(policy(innerHead, innerOptions));
            name = head.substring(0, bracket);
        }
        PolicyOptions options = new PolicyOptions(name, values, inner);
        EvictionPolicy policy = Extensions.find("kv-policy", EvictionPolicy.class, BuiltInPolicies.ALL, name)
                .with(options);
        options.checkAllUsed();
        return policy;
    }
}
