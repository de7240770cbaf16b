package org.pikv4j.calibration;

import org.pikv4j.cache.compression.HalfShape;

/**
 * The directions of the most energy: of the vectors x of a layer and head the first eigenvectors P of E[x·xᵀ], without taking the
 * mean away, D = Pᵀ and U = P. What is lost is the sum of the other eigenvalues, and no basis of that rank without a bias loses
 * less (Eckart and Young, Psychometrika 1936).
 */
final class SvdFitter implements BasisFitter {

    @Override
    public Fit fit(LayerStatistics layer, HalfShape.Side side, int rank) {
        return new Fit(layer.stored(side).stream()
                .map(moments -> FittedBasis.orthogonal(
                        SymmetricEigen.of(moments.secondMoment()).vectors(), rank, new double[moments.width()]))
                .toList());
    }
}
