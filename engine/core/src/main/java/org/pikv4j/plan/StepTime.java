package org.pikv4j.plan;

/**
 * One decode step of the whole batch: decoding waits for memory. Weights take bytes/β; the cache of each sequence and layer takes
 * bytes/β + numbers/γ + fixed, where that was measured (PiKV, arXiv 2508.06526, §3.3, with a fixed term).
 *
 * @param bytes what the fullest device reads: weights that every token meets, the experts that the batch is expected to pick,
 *     and the cache of all sequences
 * @param seconds the time of a step
 * @param tokensPerSecond tokens of all sequences together
 */
public record StepTime(long bytes, double seconds, double tokensPerSecond) {

    /**
     * @param bytesPerSecond β of weights: read bandwidth of a device
     * @param fixedSeconds what a step takes whatever it reads
     * @param attention what reads the cache
     */
    public record Machine(double bytesPerSecond, double fixedSeconds, Attention attention) {

        /**
         * @param bytesPerSecond read bandwidth of a device, for weights and cache
         * @param fixedSeconds what a step takes whatever it reads
         */
        public Machine(double bytesPerSecond, double fixedSeconds) {
            this(bytesPerSecond, fixedSeconds, new Attention(bytesPerSecond, Double.POSITIVE_INFINITY, 0));
        }
    }

    /**
     * The time of one query over one layer, as {@code bench compression} fits it.
     *
     * @param bytesPerSecond β
     * @param numbersPerSecond γ
     * @param fixedSeconds what it takes at any length
     */
    public record Attention(double bytesPerSecond, double numbersPerSecond, double fixedSeconds) {}

    /**
     * @param model the model
     * @param work what it is for
     * @param device what the fullest device holds
     * @param bytesPerNumber bytes of the cache for each number in it
     * @param machine what reads
     */
    static StepTime of(ModelShape model, Workload work, DeviceBytes device, double bytesPerNumber, Machine machine) {
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
        long weights = device.sharedWeightsBytes() - embedding + Math.round(experts);
        Attention attention = machine.attention();
        double seconds = weights / machine.bytesPerSecond()
                + device.kvBytes() / attention.bytesPerSecond()
                + device.kvBytes() / bytesPerNumber / attention.numbersPerSecond()
                + (double) model.layers().size() * work.batch() * attention.fixedSeconds()
                + machine.fixedSeconds();
        return new StepTime(weights + device.kvBytes(), seconds, work.batch() / seconds);
    }
}
