package org.pikv4j.bench.jmh;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** What the calls of a benchmark moved and computed; JMH turns it into rates per second. */
@AuxCounters(AuxCounters.Type.OPERATIONS)
@State(Scope.Thread)
public class Work {
    /** 10^9 bytes read from, or written to, weights or pages. */
    public double gigabytes;

    /** 10^9 multiplications and additions. */
    public double gigaflops;

    @Setup(Level.Iteration)
    public void reset() {
        gigabytes = 0;
        gigaflops = 0;
    }

    void add(double bytes, double flops) {
        gigabytes += bytes / 1e9;
        gigaflops += flops / 1e9;
    }
}
