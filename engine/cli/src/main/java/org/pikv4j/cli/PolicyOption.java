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
            description =
                    "What gives way when a budget is reached, NAME[:option=value,...]: streaming-llm, lru, lru+,"
                            + " knorm, keydiff, h2o, tova, snapkv, expected-attention, kvzip, duo, fastv, pikv, 'adakv(snapkv)',"
                            + " 'pyramid(h2o)' and 'chunk(tova)' forget tokens, flexgen puts them on disk, and quest reads fewer;"
                            + " all but quest want --kv-budget, and the README explains them (default: reaching a budget is an error).")
    private Optional<String> kvPolicy = Optional.empty();

    /**
     * @return the policy asked for
     * @throws org.pikv4j.error.InvalidOptionException if there is no such policy
     */
    public Optional<PolicyChoice> choice() {
        return kvPolicy.map(PolicyChoice::parse);
    }
}
