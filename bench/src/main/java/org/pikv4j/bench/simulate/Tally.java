package org.pikv4j.bench.simulate;

/**
 * How attention fared with what was kept, summed over steps, layers and KV heads. The reference is the softmax over all recorded
 * keys that a query may see, the mean over the query heads of a group.
 *
 * @param reads how many: steps × layers × KV heads
 * @param hits reads whose top token was still there
 * @param mass the share of the softmax that lies on tokens still there, summed over reads
 */
record Tally(long reads, double hits, double mass) {
    static final Tally NONE = new Tally(0, 0, 0);

    Tally plus(Tally other) {
        return new Tally(reads + other.reads, hits + other.hits, mass + other.mass);
    }

    /** Share of reads whose top token was still there. */
    double hitRate() {
        return hits / reads;
    }

    /** Mean share of attention on tokens still there. */
    double massKept() {
        return mass / reads;
    }
}
