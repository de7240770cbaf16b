package org.pikv4j.shard;

import org.pikv4j.error.InvalidOptionException;

/**
 * What a shard can do, compared with others.
 *
 * @param capacity its share of the memory, relative to the others'
 * @param speed how fast it attends, relative to the others
 */
public record ShardSpec(double capacity, double speed) {
    /** Like every other one. */
    public static final ShardSpec EQUAL = new ShardSpec(1, 1);

    /** Capacities and speeds are below it. */
    public static final double LIMIT = 1e9;

    public ShardSpec {
        if (!(capacity > 0 && capacity < LIMIT) || !(speed > 0 && speed < LIMIT)) {
            throw new InvalidOptionException(
                    "capacities and speeds of shards must be positive numbers, not " + capacity + " and " + speed);
        }
    }

    /**
     * @return what it gets pages by, compared with others
     */
    public double weight() {
        return capacity * speed;
    }
}
