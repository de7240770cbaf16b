package org.pikv4j.calibration;

import java.util.List;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.pikv4j.cache.compression.HalfShape;

/**
 * LoRA++: centred, and for keys weighted by the queries that will meet them. With b = E[k] and E[q·qᵀ] = L·Lᵀ the error
 * E|q·(k − k̂)|² is E‖Lᵀ·(k − k̂)‖² for queries independent of keys, so that the best basis is the principal components P of
 * Lᵀ·(k − b): D = Pᵀ·Lᵀ, U = L⁻ᵀ·P. Values are centred and not weighted.
 */
final class QueryWeightedFitter implements BasisFitter {
    /** Directions that no query of the text took are not free: they count a thousandth of the mean. */
    private static final double RIDGE = 1e-3;

    @Override
    public Fit fit(LayerStatistics layer, HalfShape.Side side, int rank) {
        List<FittedBasis> heads = layer.heads().stream()
                .map(head -> side == HalfShape.Side.KEYS
                        ? weighted(head.keys(), head.queries(), rank)
                        : centred(head.values(), rank))
                .toList();
        return new Fit(heads);
    }

    /** The principal components of vectors. */
    static FittedBasis centred(Moments vectors, int rank) {
        return FittedBasis.orthogonal(SymmetricEigen.of(vectors.covariance()).vectors(), rank, vectors.mean());
    }

    private static FittedBasis weighted(Moments keys, Moments queries, int rank) {
        int width = keys.width();
        Whitening byQueries = Whitening.of(queries.secondMoment(), RIDGE);
        DMatrixRMaj left = new DMatrixRMaj(width, width);
        CommonOps_DDRM.multTransA(byQueries.factor(), keys.covariance(), left);
        DMatrixRMaj seen = new DMatrixRMaj(width, width);
        CommonOps_DDRM.mult(left, byQueries.factor(), seen);
        DMatrixRMaj components = CommonOps_DDRM.extract(SymmetricEigen.of(seen).vectors(), 0, width, 0, rank);
        DMatrixRMaj down = new DMatrixRMaj(rank, width);
        CommonOps_DDRM.multTransAB(components, byQueries.factor(), down);
        DMatrixRMaj up = new DMatrixRMaj(width, rank);
        CommonOps_DDRM.multTransA(byQueries.inverse(), components, up);
        return new FittedBasis(down, up, keys.mean()).normalised();
    }
}
