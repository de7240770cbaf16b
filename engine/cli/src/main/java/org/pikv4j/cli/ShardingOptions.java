package org.pikv4j.cli;

import java.util.Optional;
import org.pikv4j.PiKV;
import org.pikv4j.error.InvalidOptionException;
import picocli.CommandLine.Option;

/** The options {@code --shards} and {@code --placement}. */
public final class ShardingOptions {
    private static final String DEFAULT_PLACEMENT = "expert";

    @Option(
            names = "--shards",
            paramLabel = "G",
            order = 5,
            description = "Share full pages of the cache out among so many groups of workers with memory of their own"
                    + " (default: the engine keeps them itself).")
    private Optional<Integer> shards = Optional.empty();

    @Option(
            names = "--placement",
            paramLabel = "NAME",
            order = 5,
            description =
                    "Which page goes to which shard: expert, by what most of its tokens chose, hash or round-robin"
                            + " (default: " + DEFAULT_PLACEMENT + ").")
    private Optional<String> placement = Optional.empty();

    /**
     * @param builder receives the options
     * @return the builder
     */
    public PiKV.Builder apply(PiKV.Builder builder) {
        if (placement.isPresent() && shards.isEmpty()) {
            throw new InvalidOptionException("--placement is unused without --shards");
        }
        return shards.map(count -> builder.shards(count, placement.orElse(DEFAULT_PLACEMENT)))
                .orElse(builder);
    }

    /**
     * @return number of shards; 0 for none
     */
    public int count() {
        return shards.orElse(0);
    }

    /**
     * @return name of the placement
     */
    public String placement() {
        return placement.orElse(DEFAULT_PLACEMENT);
    }
}
