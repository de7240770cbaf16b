package org.pikv4j.calibration;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.pikv4j.cache.compression.HalfShape;

/**
 * Distillation: bases fitted to what attention makes of what is stored, not to what is stored. Keys: {@link KeyDistillation}
 * minimises KL(softmax(q·K) ‖ softmax(q·K̂)) by gradient descent, from the basis of LoRA++. Values: under exact weights p the output
 * Σ p·v̂ is U·D·(o − b) + b with o = Σ p·v, so that the output's error has a minimum in closed form, the principal components of the
 * outputs themselves.
 */
final class DistillFitter implements BasisFitter {
    private final QueryWeightedFitter start = new QueryWeightedFitter();

    @Override
    public Fit fit(LayerStatistics layer, HalfShape.Side side, int rank) {
        List<FittedBasis> from = start.fit(layer, side, rank).heads();
        List<FittedBasis> found = new ArrayList<>();
        double before = 0;
        double after = 0;
        for (int head = 0; head < from.size(); head++) {
            FittedBasis basis;
            if (side == HalfShape.Side.KEYS) {
                KeyDistillation distillation = new KeyDistillation(layer, head, from.get(head));
                basis = distillation.run();
                before += distillation.before();
                after += distillation.after();
            } else {
                Moments attended = layer.heads().get(head).attended();
                basis = QueryWeightedFitter.centred(attended, rank);
                before += 1 - from.get(head).energyKept(attended);
                after += 1 - basis.energyKept(attended);
            }
            found.add(basis);
        }
        return new Fit(found, Optional.of(new Gain(before / from.size(), after / from.size())));
    }
}
