package org.pikv4j.plan;

/**
 * One decode step of the whole batch, by T = bytes/β + fixed: decoding waits for memory.
 *
 * @param bytes what the fullest device reads: weights that every token meets, the experts that the batch is expected to pick,
 *     and the cache of all sequences
 * @param seconds the time of a step
 * @param tokensPerSecond tokens of all sequences together
 */
public record StepTime(long bytes, double seconds, double tokensPerSecond) {

    /**
     * @param bytesPerSecond read bandwidth of a device, β
     * @param fixedSeconds what a step takes whatever it reads
     */
    public record Machine(double bytesPerSecond, double fixedSeconds) {}

    static StepTime of(ModelShape model, Workload work, DeviceBytes device, Machine machine) {
        double experts = 0;
        for (LayerShape layer : model.layers()) {
            if (layer.experts() > 0) {
                // Each token picks some of all, as if at random.
                double missed = 1 - (double) layer.expertsPerToken() / layer.experts();
                double met = layer.experts() * (1 - Math.pow(missed, work.batch()));
                experts += met * layer.expertParameters() * model.elementBytes() / work.devices();
            }
        }
        // A row of the embedding is looked up; as the output projection it is read in full.
        long embedding = model.tiedEmbeddings() ? 0 : (long) model.vocabulary() * model.hidden() * model.elementBytes();
        long bytes = device.sharedWeightsBytes() - embedding + Math.round(experts) + device.kvBytes();
        double seconds = bytes / machine.bytesPerSecond() + machine.fixedSeconds();
        return new StepTime(bytes, seconds, work.batch() / seconds);
    }
}
