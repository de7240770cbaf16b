package org.pikv4j.calibration;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.pikv4j.cache.compression.HalfShape;

/**
 * Keeps channels as they are and drops the others. Of keys those stay that have the most part in the scores, by mean(q²)·mean(k²)
 * over the queries of all heads that share the key (ThinK, arXiv 2407.21018, §3.2: ‖Qᵢ·Kᵢᵀ‖ is ‖Qᵢ‖·‖Kᵢ‖ for one channel). Of
 * values those stay with the largest mean(v²): behind them comes no query, but the output itself.
 */
final class PruneFitter implements BasisFitter {

    @Override
    public Fit fit(LayerStatistics layer, HalfShape.Side side, int rank) {
        List<FittedBasis> heads = new ArrayList<>();
        for (HeadStatistics head : layer.heads()) {
            heads.add(
                    side == HalfShape.Side.KEYS
                            ? keep(
                                    layer,
                                    rank,
                                    i -> head.queries().meanSquare(i)
                                            * head.keys().meanSquare(i))
                            : keep(layer, rank, head.values()::meanSquare));
        }
        return new Fit(heads);
    }

    /** The best channels, best first: a file of a given rank thus holds the choice of every smaller one. */
    private static FittedBasis keep(LayerStatistics layer, int rank, IntToDoubleFunction score) {
        int headDim = layer.spec().headDim();
        int[] kept = IntStream.range(0, headDim)
                .boxed()
                .sorted(Comparator.comparingDouble(i -> -score.applyAsDouble(i)))
                .limit(rank)
                .mapToInt(Integer::intValue)
                .toArray();
        DMatrixRMaj down = new DMatrixRMaj(rank, headDim);
        for (int r = 0; r < rank; r++) {
            down.set(r, kept[r], 1);
        }
        return new FittedBasis(down, CommonOps_DDRM.transpose(down, null), new double[headDim]);
    }
}
