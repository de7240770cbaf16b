package org.pikv4j.calibration;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.pikv4j.decode.AttentionObserver;
import org.pikv4j.decode.AttentionRows;
import org.pikv4j.model.LayerSpec;
import org.pikv4j.model.ModelConfig;

/** Sums up what a model does while it reads. */
final class AttentionStatistics implements AttentionObserver {
    private final List<LayerStatistics> layers = new ArrayList<>();

    /**
     * @param config the model
     * @param length tokens of the first sequence that it reads
     * @param sampled tokens of it whose queries and keys are kept; 0 for none
     */
    AttentionStatistics(ModelConfig config, int length, int sampled) {
        for (LayerSpec layer : config.layers()) {
            layers.add(new LayerStatistics(
                    layers.size(),
                    layer.attention(),
                    sampled == 0
                            ? Optional.empty()
                            : Optional.of(new AttentionSample(layer.attention(), length, sampled))));
        }
    }

    @Override
    public void observe(AttentionRows rows) {
        layers.get(rows.layer()).add(rows);
    }

    List<LayerStatistics> layers() {
        return layers;
    }
}
