package org.pikv4j.cache.scheduling;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.extension.OptionValues;

/** What stands behind a policy's name: {@code name=number} pairs, and the policy that it wraps. Each must be asked for. */
public final class PolicyOptions extends OptionValues {
    /** Options of every policy, behind the outermost name. */
    private static final List<String> EVERYWHERE = List.of("sinks", "window");

    private final Optional<CachePolicy> inner;
    private final Protection protection;
    private boolean wraps;

    PolicyOptions(String policy, Map<String, String> values, Optional<CachePolicy> inner, Protection protection) {
        super("kv-policy " + policy, values);
        this.inner = inner;
        this.protection = protection;
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
        throw new InvalidOptionException(of() + " cannot wrap " + wrapped.name() + ", which evicts nothing");
    }

    /**
     * @return what stays, and is always read
     */
    public Protection protection() {
        return protection;
    }

    @Override
    public void checkAllUsed() {
        if (inner.isPresent() && !wraps) {
            throw new InvalidOptionException(of() + " wraps no other policy");
        }
        super.checkAllUsed();
    }

    @Override
    protected InvalidOptionException unknown(String name) {
        if (EVERYWHERE.contains(name)) { // it was not taken from behind the outermost
            return new InvalidOptionException(
                    "%s within brackets has no '%s' of its own; it stands behind them".formatted(of(), name));
        }
        EVERYWHERE.forEach(everywhere -> text(everywhere, ""));
        return super.unknown(name);
    }
}
