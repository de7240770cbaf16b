package org.pikv4j.cli;

import java.util.Optional;
import org.pikv4j.cache.scheduling.PolicyChoice;
import picocli.CommandLine.Option;

/** The option {@code --kv-policy}. */
public final class PolicyOption {
    @Option(
            names = "--kv-policy",
            paramLabel = "NAME",
            order = 5,
            description = "What gives way when a budget is reached, NAME[:option=value,...]: streaming-llm, h2o, tova,"
                    + " snapkv, keydiff, 'adakv(snapkv)', ...; the README lists them all (default: reaching a budget is"
                    + " an error).")
    private Optional<String> kvPolicy = Optional.empty();

    /**
     * @return the policy asked for
     * @throws org.pikv4j.error.InvalidOptionException if there is no such policy
     */
    public Optional<PolicyChoice> choice() {
        return kvPolicy.map(PolicyChoice::parse);
    }
}
