package org.pikv4j.calibration;

import java.util.List;
import java.util.Optional;
import org.pikv4j.cache.compression.HalfShape;

/** Fits the bases of one layer. Stateless: layers are fitted side by side. */
interface BasisFitter {

    /**
     * @param heads one basis per KV head
     * @param gain where something beyond the energy was minimised: how far that went
     */
    record Fit(List<FittedBasis> heads, Optional<Gain> gain) {
        public Fit {
            heads = List.copyOf(heads);
        }

        public Fit(List<FittedBasis> heads) {
            this(heads, Optional.empty());
        }
    }

    /**
     * @param layer what the model did there
     * @param side what is stored
     * @param rank numbers stored per token and head, at most the head dim
     */
    Fit fit(LayerStatistics layer, HalfShape.Side side, int rank);
}
