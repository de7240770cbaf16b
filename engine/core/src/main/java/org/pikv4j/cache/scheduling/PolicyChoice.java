package org.pikv4j.cache.scheduling;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import org.pikv4j.cache.control.Auto;
import org.pikv4j.cache.routing.PageRouter;
import org.pikv4j.cache.scheduling.policies.BuiltInPolicies;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.extension.Extensions;
import org.pikv4j.extension.OptionValues;

/**
 * A policy and what it must not touch.
 *
 * @param policy decides
 * @param protection stays whatever it decides
 */
public record PolicyChoice(CachePolicy policy, Protection protection) {

    /**
     * @param policy decides
     */
    public PolicyChoice(CachePolicy policy) {
        this(policy, Protection.DEFAULT);
    }

    /**
     * @return the policy, if it evicts
     */
    public Optional<EvictionPolicy> eviction() {
        return policy instanceof EvictionPolicy evicts ? Optional.of(evicts) : Optional.empty();
    }

    /**
     * @return whether the policy is {@code --kv auto}, under which the budget of all sessions is one
     */
    public boolean auto() {
        return policy instanceof Auto;
    }

    /**
     * @return the policy, if it moves pages to a second tier
     */
    public Optional<PlacementPolicy> placement() {
        return policy instanceof PlacementPolicy places ? Optional.of(places) : Optional.empty();
    }

    /**
     * @return the policy, if it chooses what is read
     */
    public Optional<PageRouter> router() {
        return policy instanceof PageRouter routes ? Optional.of(routes) : Optional.empty();
    }

    /**
     * @param heads what a calibration says of the model's heads
     * @return the choice for this model
     * @throws InvalidOptionException if the policy needs to know and does not hear it
     */
    public PolicyChoice calibrated(HeadScores heads) {
        return eviction()
                .map(evicts -> new PolicyChoice(evicts.calibrated(heads), protection))
                .orElse(this);
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
        PolicyOptions common = new PolicyOptions(head, options, Optional.empty(), Protection.DEFAULT);
        int sinks = common.number("sinks", Protection.DEFAULT.sinks(), 0);
        int window = common.number("window", Protection.DEFAULT.window(), 0);
        options.remove("sinks");
        options.remove("window");
        Protection protection = new Protection(sinks, window);
        return new PolicyChoice(policy(head, options, protection), protection);
    }

    /** The part before the options, which go into the map. */
    private static String head(String spec, Map<String, String> options) {
        return OptionValues.split("kv-policy", spec, spec.lastIndexOf(')') + 1, options);
    }

    private static CachePolicy policy(String head, Map<String, String> values, Protection protection) {
        int bracket = head.indexOf('(');
        Optional<CachePolicy> inner = Optional.empty();
        String name = head;
        if (bracket >= 0) {
            if (!head.endsWith(")")) {
                throw new InvalidOptionException("kv-policy '" + head + "': a bracket is missing");
            }
            Map<String, String> innerOptions = new LinkedHashMap<>();
            String innerHead = head(head.substring(bracket + 1, head.length() - 1), innerOptions);
            inner = Optional.of(policy(innerHead, innerOptions, protection));
            name = head.substring(0, bracket);
        }
        PolicyOptions options = new PolicyOptions(name, values, inner, protection);
        List<CachePolicy> known = new ArrayList<>(BuiltInPolicies.ALL);
        ServiceLoader.load(PageRouter.class).forEach(known::add);
        ServiceLoader.load(EvictionPolicy.class).forEach(known::add);
        CachePolicy policy =
                Extensions.find("kv-policy", CachePolicy.class, known, name).with(options);
        options.checkAllUsed();
        return policy;
    }
}
