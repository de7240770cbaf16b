package org.pikv4j.cli;

import java.util.Optional;
import org.pikv4j.PiKV;
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
     * @param builder receives the option
     * @return the builder
     */
    public PiKV.Builder apply(PiKV.Builder builder) {
        kvPolicy.ifPresent(builder::kvPolicy);
        return builder;
    }
}
