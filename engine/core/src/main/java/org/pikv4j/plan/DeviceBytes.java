package org.pikv4j.plan;

/**
 * What the fullest device takes.
 *
 * @param sharedWeightsBytes weights that every token meets, of which each device has a copy
 * @param expertsBytes its share of the experts
 * @param kvBytes its share of the cache
 * @param kvPages pages of it
 * @param routingBytes what is known of the experts of its share of the sequences, on the heap
 * @param scratchBytes activations and partial results, its own
 * @param totalBytes all of it
 */
public record DeviceBytes(
        long sharedWeightsBytes,
        long expertsBytes,
        long kvBytes,
        long kvPages,
        long routingBytes,
        long scratchBytes,
        long totalBytes) {

    static DeviceBytes of(
            long sharedWeightsBytes,
            long expertsBytes,
            long kvBytes,
            long kvPages,
            long routingBytes,
            long scratchBytes) {
        long weights = Math.addExact(sharedWeightsBytes, expertsBytes);
        return new DeviceBytes(
                sharedWeightsBytes,
                expertsBytes,
                kvBytes,
                kvPages,
                routingBytes,
                scratchBytes,
                Math.addExact(weights, Math.addExact(Math.addExact(kvBytes, routingBytes), scratchBytes)));
    }

    /**
     * @return what there is before the first token
     */
    public long withoutCache() {
        return totalBytes - kvBytes - routingBytes;
    }
}
