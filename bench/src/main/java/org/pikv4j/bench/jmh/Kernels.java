package org.pikv4j.bench.jmh;

import java.util.List;
import org.pikv4j.backend.Backend;
import org.pikv4j.backend.BackendOptions;
import org.pikv4j.backend.Backends;

/** What the benchmarks of this package have in common: backends by name, reproducible numbers, and comparisons. */
final class Kernels {
    /** The backend that the others are compared with. */
    static final String ORACLE = "scalar";
    /**
     * Working sets are made of as many equal pieces as it takes to reach this, and each call takes the next one: what is
     * measured is memory, as in a model that is larger than the last-level cache.
     */
    static final long WORKING_SET_BYTES = 256L << 20;

    private Kernels() {}

    static Backend open(String backend) {
        return open(backend, true);
    }

    static Backend open(String backend, boolean fused) {
        return new Backends(List.of())
                .open(backend, new BackendOptions(BackendOptions.defaults().threads(), fused));
    }

    static int pieces(long bytes) {
        return Math.toIntExact(Math.ceilDiv(WORKING_SET_BYTES, bytes));
    }

    /**
     * A benchmark of wrong results is worth nothing.
     *
     * @param expected what the oracle computed
     * @param actual what the backend computed
     * @param count elements to compare
     * @throws IllegalStateException if they differ by more than rounding can explain
     */
    static void requireClose(float[] expected, float[] actual, int count) {
        double largest = 0;
        for (int i = 0; i < count; i++) {
            largest = Math.max(largest, Math.abs(expected[i]));
        }
        double tolerance = 1e-4 * largest + 1e-6;
        for (int i = 0; i < count; i++) {
            if (!(Math.abs(expected[i] - actual[i]) <= tolerance)) {
                throw new IllegalStateException(
                        "element " + i + " is " + actual[i] + " where the oracle says " + expected[i]);
            }
        }
    }
}
