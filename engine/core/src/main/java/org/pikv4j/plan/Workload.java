package org.pikv4j.plan;

import org.pikv4j.error.InvalidOptionException;

/**
 * What a plan is made for.
 *
 * @param context tokens of each sequence
 * @param batch sequences at once
 * @param memoryBytes memory of one device
 * @param devices how many there are
 */
public record Workload(int context, int batch, long memoryBytes, int devices) {
    /** The longest context that is planned for, and the largest that is looked for. */
    public static final int MOST_TOKENS = 1 << 30;

    /** The largest batch. */
    public static final int MOST_SEQUENCES = 1_000_000;

    private static final int MOST_DEVICES = 65_536;

    public Workload {
        check("context", context, MOST_TOKENS);
        check("batch", batch, MOST_SEQUENCES);
        check("devices", devices, MOST_DEVICES);
        if (memoryBytes < 1) {
            throw new InvalidOptionException("memory must be positive, not " + memoryBytes + " bytes");
        }
    }

    private static void check(String option, int value, int most) {
        if (value < 1) {
            throw new InvalidOptionException(option + " must be at least 1, not " + value);
        }
        if (value > most) {
            throw new InvalidOptionException(option + " must be at most " + most + ", not " + value);
        }
    }

    Workload withContext(int tokens) {
        return new Workload(tokens, batch, memoryBytes, devices);
    }

    Workload withBatch(int sequences) {
        return new Workload(context, sequences, memoryBytes, devices);
    }

    Workload withDevices(int count) {
        return new Workload(context, batch, memoryBytes, count);
    }
}
