package org.pikv4j.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.pikv4j.PiKV;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.shard.RebalanceRule;
import org.pikv4j.shard.ShardOptions;
import org.pikv4j.shard.ShardSpec;
import org.pikv4j.text.Plural;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The option {@code --shards}, and those that say more of shards. */
@Command(optionListHeading = "%nShards, places where pages live:%n")
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
            names = "--shard-capacity",
            paramLabel = "SHARE",
            split = ",",
            order = 5,
            description = "Each shard's share of the memory, relative to the others': 2,1,1 (default: equal).")
    private List<Double> capacities = List.of();

    @Option(
            names = "--shard-speed",
            paramLabel = "SPEED",
            split = ",",
            order = 5,
            description =
                    "How fast each shard is, relative to the others: 1,1,0.5. It gets pages by capacity times speed"
                            + " (default: equal).")
    private List<Double> speeds = List.of();

    @Option(
            names = "--placement",
            paramLabel = "NAME",
            order = 5,
            description =
                    "Which page goes to which shard: expert, by what most of its tokens chose, hash or round-robin"
                            + " (default: " + DEFAULT_PLACEMENT + ").")
    private Optional<String> placement = Optional.empty();

    @Option(
            names = "--rebalance",
            paramLabel = "FACTOR",
            order = 5,
            description =
                    "Place pages anew between two batches when a shard's load, in bytes held or read, is more than so many"
                            + " times the mean (default: never).")
    private Optional<Double> rebalance = Optional.empty();

    @Option(
            names = "--rebalance-every",
            paramLabel = "N",
            order = 5,
            description = "Tokens between two looks at the loads (default: " + RebalanceRule.DEFAULT_TOKENS + ").")
    private Optional<Integer> rebalanceEvery = Optional.empty();

    @Option(
            names = "--no-overlap",
            order = 5,
            description = "Let the engine begin its own part of attention when shards have done theirs, to see what"
                    + " overlapping the two brings.")
    private boolean noOverlap;

    /**
     * @param builder receives the options
     * @return the builder
     */
    public PiKV.Builder apply(PiKV.Builder builder) {
        return choice().map(builder::shards).orElse(builder);
    }

    /**
     * @return the shards asked for, if any are
     * @throws InvalidOptionException if there can be no such shards, or an option says something of shards that there are not
     */
    public Optional<ShardOptions> choice() {
        if (shards.isEmpty()) {
            unused().forEach((name, given) -> {
                if (given) {
                    throw new InvalidOptionException(name + " is unused without --shards");
                }
            });
        }
        return shards.map(this::options);
    }

    private Map<String, Boolean> unused() {
        Map<String, Boolean> given = new LinkedHashMap<>();
        given.put("--shard-capacity", !capacities.isEmpty());
        given.put("--shard-speed", !speeds.isEmpty());
        given.put("--placement", placement.isPresent());
        given.put("--rebalance", rebalance.isPresent());
        given.put("--rebalance-every", rebalanceEvery.isPresent());
        given.put("--no-overlap", noOverlap);
        return given;
    }

    private ShardOptions options(int count) {
        ShardOptions equal = ShardOptions.equal(count, ShardOptions.placement(placement.orElse(DEFAULT_PLACEMENT)));
        check("--shard-capacity", capacities, count);
        check("--shard-speed", speeds, count);
        if (rebalanceEvery.isPresent() && rebalance.isEmpty()) {
            throw new InvalidOptionException("--rebalance-every is unused without --rebalance");
        }
        List<ShardSpec> specs = new ArrayList<>();
        for (int shard = 0; shard < count; shard++) {
            specs.add(new ShardSpec(
                    capacities.isEmpty() ? 1 : capacities.get(shard), speeds.isEmpty() ? 1 : speeds.get(shard)));
        }
        return new ShardOptions(
                specs,
                equal.placement(),
                !noOverlap,
                rebalance.map(
                        factor -> new RebalanceRule(factor, rebalanceEvery.orElse(RebalanceRule.DEFAULT_TOKENS))));
    }

    private static void check(String name, List<Double> values, int count) {
        if (!values.isEmpty() && values.size() != count) {
            throw new InvalidOptionException(
                    "%s has %s for %s".formatted(name, Plural.of(values.size(), "number"), Plural.of(count, "shard")));
        }
        for (double value : values) {
            if (!(value > 0 && value < ShardSpec.LIMIT)) {
                throw new InvalidOptionException(name + " must be positive numbers, not " + value);
            }
        }
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
