package org.pikv4j.shard;

import java.util.Collections;
import java.util.List;
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
 */
public record ShardOptions(List<ShardSpec> shards, Placement placement, boolean overlap) {
    private static final int MOST = 256;

    public ShardOptions {
        if (shards.isEmpty() || shards.size() > MOST) {
            throw new InvalidOptionException("shards must be between 1 and " + MOST + ", not " + shards.size());
        }
        shards = List.copyOf(shards);
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
     * @param count number of equal shards
     * @param placement which full page goes where
     */
    public static ShardOptions equal(int count, Placement placement) {
        if (count < 1 || count > MOST) {
            throw new InvalidOptionException("shards must be between 1 and " + MOST + ", not " + count);
        }
        return new ShardOptions(Collections.nCopies(count, ShardSpec.EQUAL), placement, true);
    }
}
