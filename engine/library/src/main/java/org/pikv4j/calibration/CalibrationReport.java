package org.pikv4j.calibration;

import java.util.List;
import java.util.Optional;

/**
 * What came of a calibration, on the text that it read.
 *
 * @param calibration the bases
 * @param tokens of the text
 * @param layers one entry per method and layer
 */
public record CalibrationReport(Calibration calibration, int tokens, List<Layer> layers) {
    public CalibrationReport {
        layers = List.copyOf(layers);
    }

    /**
     * @param method how the bases were fitted
     * @param layer index of the layer
     * @param rank numbers stored per token and head, for keys and for values
     * @param headDim of which there were so many
     * @param keys share of the keys' energy that is kept, E‖k − k̂‖² against E‖k‖², mean over heads
     * @param values the same of values
     * @param divergence of attention weights, in nats, mean over heads and sampled queries that were not learned from, where
     *     that was minimised; the newest keys and the sinks are exact
     * @param outputError relative square error of attention outputs, mean over heads, where that was minimised
     */
    public record Layer(
            CalibrationMethod method,
            int layer,
            int rank,
            int headDim,
            double keys,
            double values,
            Optional<Gain> divergence,
            Optional<Gain> outputError) {}
}
