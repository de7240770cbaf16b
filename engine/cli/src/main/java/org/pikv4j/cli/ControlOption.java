package org.pikv4j.cli;

import java.util.Optional;
import org.pikv4j.PiKV;
import org.pikv4j.cache.control.Auto;
import org.pikv4j.cache.scheduling.KvBudget;
import org.pikv4j.cache.scheduling.PolicyChoice;
import org.pikv4j.error.InvalidOptionException;
import picocli.CommandLine.Option;

/** The option {@code --kv}. */
public final class ControlOption {
    @Option(
            names = "--kv",
            paramLabel = "auto",
            order = 3,
            description =
                    "auto: spend the bytes of --kv-budget where they are worth most. Pages take smaller forms first, tokens"
                            + " go last; while all fits nothing changes (default: as --kv-dtype and --kv-policy say).")
    private Optional<String> kv = Optional.empty();

    /**
     * @return whether one controller is to decide about forms and tokens
     * @throws InvalidOptionException if something else was asked for
     */
    public boolean auto() {
        kv.filter(value -> !value.equals(Auto.NAME)).ifPresent(value -> {
            throw new InvalidOptionException("--kv '" + value + "' is unknown; there is auto");
        });
        return kv.isPresent();
    }

    /**
     * @param builder of an engine
     * @param form the other options of the cache
     * @param policy the policy asked for
     * @return the builder, under one controller
     * @throws InvalidOptionException if the options leave it nothing to decide, or no budget
     */
    PiKV.Builder apply(PiKV.Builder builder, FormOptions form, Optional<PolicyChoice> policy) {
        policy.ifPresent(choice -> {
            throw new InvalidOptionException("--kv auto chooses what goes itself: leave --kv-policy "
                    + choice.policy().name() + " out");
        });
        if (form.kvDtypeGiven()) {
            throw new InvalidOptionException(
                    "--kv auto chooses forms itself, page by page: leave --kv-dtype " + form.kvDtype() + " out");
        }
        KvBudget budget = form.kvBudget()
                .orElseThrow(() -> new InvalidOptionException(
                        "--kv auto spends a budget: name one with --kv-budget, 64MiB for instance"));
        budget.tokens().ifPresent(tokens -> {
            throw new InvalidOptionException(
                    "--kv auto spends bytes: --kv-budget must name some, 64MiB for instance, and not " + tokens);
        });
        return builder.kvAuto();
    }
}
