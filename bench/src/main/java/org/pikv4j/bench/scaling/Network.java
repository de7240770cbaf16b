package org.pikv4j.bench.scaling;

/**
 * A simulated network: every message takes the latency, and what one place sends and receives shares its link.
 *
 * @param latencySeconds of a message
 * @param bytesPerSecond of each place's link
 */
record Network(double latencySeconds, double bytesPerSecond) {

    /**
     * @param rounds messages that wait for one another
     * @param bytes over one link
     * @return seconds
     */
    double seconds(long rounds, double bytes) {
        return rounds * latencySeconds + bytes / bytesPerSecond;
    }
}
