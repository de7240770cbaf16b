package org.pikv4j.cache.scheduling;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.memory.ByteSize;

/** What stands behind a policy's name: {@code name=number} pairs, and the policy that it wraps. Each must be asked for. */
public final class PolicyOptions {
    /** Options of every policy, behind the outermost name. */
    private static final List<String> EVERYWHERE = List.of("sinks", "window");

    private final String policy;
    private final Map<String, String> values;
    private final Optional<CachePolicy> inner;
    private final Protection protection;
    private final Set<String> known = new LinkedHashSet<>();
    private boolean wraps;

    PolicyOptions(String policy, Map<String, String> values, Optional<CachePolicy> inner, Protection protection) {
        this.policy = policy;
        this.values = new LinkedHashMap<>(values);
        this.inner = inner;
        this.protection = protection;
    }

    /**
     * @param name an option's name
     * @param usual its value if it is not given
     * @param least the smallest value possible
     * @return its value
     */
    public int number(String name, int usual, int least) {
        double value = real(name, usual, least, Integer.MAX_VALUE);
        if (value != Math.rint(value)) {
            throw new InvalidOptionException("kv-policy " + policy + ": " + name + " must be a whole number");
        }
        return (int) value;
    }

    /**
     * @param name an option's name
     * @param usual its value if it is not given
     * @return whether it is 1, and not 0
     */
    public boolean flag(String name, boolean usual) {
        double value = real(name, usual ? 1 : 0, 0, 1);
        if (value != Math.rint(value)) {
            throw new InvalidOptionException("kv-policy " + policy + ": " + name + " must be 0 or 1");
        }
        return value == 1;
    }

    /**
     * @param name an option's name
     * @param usual its value if it is not given
     * @param least the smallest value possible
     * @param most the largest
     * @return its value
     */
    public double real(String name, double usual, double least, double most) {
        known.add(name);
        String text = values.get(name);
        if (text == null) {
            return usual;
        }
        double value;
        try {
            value = Double.parseDouble(text);
        } catch (NumberFormatException e) {
            value = Double.NaN;
        }
        if (!(value >= least && value <= most)) {
            throw new InvalidOptionException("kv-policy %s: %s must be a number from %s to %s, not '%s'"
                    .formatted(policy, name, plain(least), plain(most), text));
        }
        return value;
    }

    /**
     * @param name an option's name
     * @param usual its value if it is not given
     * @return its value, as it was written
     */
    public String text(String name, String usual) {
        known.add(name);
        return values.getOrDefault(name, usual);
    }

    /**
     * @param name an option's name
     * @param usual its value if it is not given
     * @return its value, a size
     */
    public long bytes(String name, long usual) {
        known.add(name);
        String text = values.get(name);
        try {
            return text == null ? usual : ByteSize.parse(text);
        } catch (InvalidOptionException e) {
            throw new InvalidOptionException("kv-policy " + policy + ": " + name + " " + e.getMessage());
        }
    }

    private static String plain(double number) {
        return number == Math.rint(number) ? Long.toString((long) number) : Double.toString(number);
    }

    /**
     * @param usual the policy that is wrapped if none is given
     * @return the policy that this one wraps
     */
    public EvictionPolicy inner(EvictionPolicy usual) {
        wraps = true;
        CachePolicy wrapped = inner.orElse(usual);
        if (wrapped instanceof EvictionPolicy evicts) {
            return evicts;
        }
        throw new InvalidOptionException(
                "kv-policy " + policy + " cannot wrap " + wrapped.name() + ", which evicts nothing");
    }

    /**
     * @return what stays, and is always read
     */
    public Protection protection() {
        return protection;
    }

    void checkAllUsed() {
        if (inner.isPresent() && !wraps) {
            throw new InvalidOptionException("kv-policy " + policy + " wraps no other policy");
        }
        for (String name : values.keySet()) {
            if (!known.contains(name)) {
                if (EVERYWHERE.contains(name)) { // it was not taken from behind the outermost
                    throw new InvalidOptionException(
                            "kv-policy %s within brackets has no '%s' of its own; it stands behind them"
                                    .formatted(policy, name));
                }
                known.addAll(EVERYWHERE);
                throw new InvalidOptionException(
                        "kv-policy %s has no option '%s'; it has %s".formatted(policy, name, String.join(", ", known)));
            }
        }
    }
}
