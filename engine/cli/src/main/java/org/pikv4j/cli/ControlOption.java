package org.pikv4j.cli;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.pikv4j.cache.control.Auto;
import org.pikv4j.cache.scheduling.KvBudget;
import org.pikv4j.cache.scheduling.PolicyChoice;
import org.pikv4j.error.InvalidOptionException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The option {@code --kv}, and what it means for the others. */
public final class ControlOption {
    /** What the controller decides itself, by the option that says it otherwise. */
    private static final Map<String, String> DECIDES = new LinkedHashMap<>();

    static {
        DECIDES.put("--kv-policy", "what goes");
        DECIDES.put("--kv-dtype", "forms");
        DECIDES.put("--kv-residual", "what stays exact");
        DECIDES.put("--kv-sinks", "what stays exact");
    }

    @Option(
            names = "--kv",
            paramLabel = "auto",
            order = 3,
            description =
                    "auto: spend the bytes of --kv-budget where they are worth most. Pages take smaller forms first, tokens"
                            + " go last; while all fits nothing changes (default: as --kv-dtype and --kv-policy say).")
    private Optional<String> kv = Optional.empty();

    @Spec(Spec.Target.MIXEE)
    @SuppressWarnings("NullAway.Init") // picocli sets it before it runs anything
    private CommandSpec command;

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
     * @param policy the policy asked for
     * @param budget the budget asked for
     * @return what gives way at the budget, if anything does
     * @throws InvalidOptionException if the options leave a controller nothing to decide, or there is no budget at which anything gives
     *     way
     */
    public Optional<PolicyChoice> choice(Optional<PolicyChoice> policy, KvBudget budget) {
        boolean unlimited = budget.equals(KvBudget.DEFAULT);
        if (auto()) {
            checkAuto(budget, unlimited);
            return Optional.of(new PolicyChoice(new Auto()));
        }
        policy.filter(choice -> unlimited && choice.router().isEmpty()).ifPresent(choice -> {
            throw new InvalidOptionException("--kv-policy " + choice.policy().name()
                    + " says what gives way at a budget: name one with --kv-budget, 1024tok or 64MiB for instance");
        });
        return policy;
    }

    private void checkAuto(KvBudget budget, boolean unlimited) {
        DECIDES.forEach((name, what) -> {
            OptionSpec given = command.commandLine().getParseResult().matchedOption(name);
            if (given != null) {
                List<String> values = given.originalStringValues();
                throw new InvalidOptionException("--kv auto chooses " + what + " itself: leave " + name + " "
                        + String.join(",", values) + " out");
            }
        });
        if (unlimited) {
            throw new InvalidOptionException(
                    "--kv auto spends a budget: name one with --kv-budget, 64MiB for instance");
        }
        budget.tokens().ifPresent(tokens -> {
            throw new InvalidOptionException(
                    "--kv auto spends bytes: --kv-budget must name some, 64MiB for instance, and not " + tokens);
        });
    }
}
