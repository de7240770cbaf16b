package org.pikv4j.shard;

import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.pikv4j.cache.routing.ExpertPlacement;
import org.pikv4j.cache.routing.HashPlacement;
import org.pikv4j.cache.routing.Placement;
import org.pikv4j.cache.routing.RoundRobin;
import org.pikv4j.error.InvalidOptionException;
import org.pikv4j.extension.Extensions;

/**
 * The shards of an engine and how they are used.
 *
 * @param shards what each of them can do
 * @param placement which full page goes where
 * @param overlap whether shards compute while the engine does what lives with itself
 * @param rebalance when pages are placed anew by themselves; never where there is none
 */
public record ShardOptions(
        List<ShardSpec> shards, Placement placement, boolean overlap, Optional<RebalanceRule> rebalance) {
    /** The most shards that there can be. */
    static final int MOST = 256;

    public ShardOptions {
        checkCount(shards.size());
        shards = List.copyOf(shards);
    }

    /**
     * Overlapping, and never placed anew by themselves.
     *
     * @param shards what each of them can do
     * @param placement which full page goes where
     */
    public ShardOptions(List<ShardSpec> shards, Placement placement) {
        this(shards, placement, true, Optional.empty());
    }

    /**
     * @param count number of equal shards
     * @param placement which full page goes where
     */
    public static ShardOptions equal(int count, Placement placement) {
        checkCount(count); // a list has no negative size
        return new ShardOptions(Collections.nCopies(count, ShardSpec.EQUAL), placement);
    }

    private static void checkCount(int count) {
        if (count < 1 || count > MOST) {
            throw new InvalidOptionException("shards must be between 1 and " + MOST + ", not " + count);
        }
    }

    /**
     * @param name {@code expert}, {@code hash} or {@code round-robin}, or that of a {@link Placement} on the class path
     * @return the placement
     * @throws InvalidOptionException if there is none of that name
     */
    public static Placement placement(String name) {
        return Extensions.find(
                "placement",
                Placement.class,
                List.of(new ExpertPlacement(), new HashPlacement(), new RoundRobin()),
                name);
    }

    /**
     * @param overlaps whether shards compute while the engine does what lives with itself
     * @return the same but for that
     */
    public ShardOptions withOverlap(boolean overlaps) {
        return new ShardOptions(shards, placement, overlaps, rebalance);
    }

    /**
     * @param rule when pages are placed anew by themselves
     * @return the same but for that
     */
    public ShardOptions withRebalance(RebalanceRule rule) {
        return new ShardOptions(shards, placement, overlap, Optional.of(rule));
    }
}
