package org.pikv4j.plan;

import java.util.List;
import java.util.Optional;
import org.pikv4j.model.AttentionSpec;
import org.pikv4j.model.ParameterCount;

/**
 * What a configuration alone says of a model's size, be it one that the engine can run or not.
 *
 * @param architecture the family's name as the file spells it
 * @param hidden width of the residual stream
 * @param vocabulary rows of the embedding
 * @param maxPositions positions that the model was made for
 * @param tiedEmbeddings whether the output projection is the embedding
 * @param elementBytes bytes of a weight: 2, or 4 where the file says float32; a quantised model counts in 16 bits
 * @param layers the layers, first to last
 * @param quantization what the file's weights are in, where they are quantised
 * @param obstacle why the engine cannot run it, if it cannot; one line
 * @param remarks what else is to be known of the numbers, a line each
 */
public record ModelShape(
        String architecture,
        int hidden,
        int vocabulary,
        int maxPositions,
        boolean tiedEmbeddings,
        int elementBytes,
        List<LayerShape> layers,
        Optional<Quantization> quantization,
        Optional<String> obstacle,
        List<String> remarks) {

    /** What quantised weights are kept in. */
    public record Quantization(String method, Optional<Long> storedBytes) {
        /** Bytes of an element in bf16. */
        private static final int PLAIN = 2;

        /**
         * @param method as the file names it
         * @param shape the model
         * @return with the bytes in the file, scales of fp8 blocks not counted, where the method says enough
         */
        static Quantization of(String method, ModelShape shape) {
            long experts = shape.expertParameters();
            long all = shape.parameters().total();
            return new Quantization(
                    method,
                    switch (method) {
                        // Everything but embedding and output in a byte.
                        case "fp8" -> Optional.of(all + (PLAIN - 1) * shape.outerParameters());
                        // The experts in 4 bits, and a byte for 32 of them.
                        case "mxfp4" -> Optional.of(experts / 32 * 17 + (all - experts) * PLAIN);
                        default -> Optional.empty();
                    });
        }
    }

    public ModelShape {
        layers = List.copyOf(layers);
        remarks = List.copyOf(remarks);
    }

    /**
     * @param method what the file's weights are in
     * @return the same model, quantised
     */
    public ModelShape quantized(String method) {
        return new ModelShape(
                architecture,
                hidden,
                vocabulary,
                maxPositions,
                tiedEmbeddings,
                elementBytes,
                layers,
                Optional.of(Quantization.of(method, this)),
                obstacle,
                remarks);
    }

    /**
     * @return how many numbers it consists of
     */
    public ParameterCount parameters() {
        long active = layers.stream()
                .mapToLong(layer -> Math.multiplyExact(layer.expertsPerToken(), layer.expertParameters()))
                .reduce(0, Math::addExact);
        return new ParameterCount(
                Math.addExact(alwaysParameters(), expertParameters()), Math.addExact(alwaysParameters(), active));
    }

    /**
     * @return numbers of all experts
     */
    public long expertParameters() {
        return layers.stream()
                .mapToLong(layer -> Math.multiplyExact(layer.experts(), layer.expertParameters()))
                .reduce(0, Math::addExact);
    }

    /**
     * @return numbers that every token meets, embedding and output projection in full
     */
    public long alwaysParameters() {
        return Math.addExact(
                Math.addExact(outerParameters(), hidden),
                layers.stream().mapToLong(LayerShape::alwaysParameters).reduce(0, Math::addExact));
    }

    /** Numbers of embedding and output projection. */
    private long outerParameters() {
        return (tiedEmbeddings ? 1L : 2L) * vocabulary * hidden;
    }

    /**
     * @return the most experts that a token meets in one layer; 1 where there are none
     */
    public int expertsPerToken() {
        return layers.stream().mapToInt(LayerShape::expertsPerToken).reduce(1, Math::max);
    }

    /**
     * @param context tokens of a sequence
     * @return numbers that one more token adds to its cache: those of layers whose window it has not left
     */
    public long growingElements(int context) {
        return layers.stream()
                .filter(layer -> layer.kv().window() >= context)
                .mapToLong(layer -> layer.kv().elements())
                .sum();
    }

    /**
     * @return whether some layer has a sliding window
     */
    public boolean windowed() {
        return layers.stream().anyMatch(layer -> layer.kv().window() != AttentionSpec.FULL);
    }
}
