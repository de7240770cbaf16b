package org.pikv4j.calibration;

import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.CholeskyDecomposition_F64;

/**
 * Coordinates in which vectors of a given second moment S are white: S = L·Lᵀ, and L⁻¹·x has the second moment I.
 *
 * @param factor L, lower triangular
 * @param inverse L⁻¹
 */
record Whitening(DMatrixRMaj factor, DMatrixRMaj inverse) {

    /**
     * @param moment S, symmetric and positive semidefinite; not changed
     * @param ridge added to its diagonal, in shares of the diagonal's mean: directions that the calibration text hardly
     *     showed are taken to be that strong
     */
    static Whitening of(DMatrixRMaj moment, double ridge) {
        int width = moment.numRows;
        double mean = CommonOps_DDRM.trace(moment) / width;
        DMatrixRMaj raised = moment.copy();
        for (int i = 0; i < width; i++) {
            raised.add(i, i, mean > 0 ? ridge * mean : 1);
        }
        CholeskyDecomposition_F64<DMatrixRMaj> cholesky = DecompositionFactory_DDRM.chol(width, true);
        if (!cholesky.decompose(raised)) {
            throw new ArithmeticException("a second moment of " + width + " is not positive definite");
        }
        DMatrixRMaj factor = cholesky.getT(null);
        DMatrixRMaj inverse = new DMatrixRMaj(width, width);
        CommonOps_DDRM.invert(factor, inverse);
        return new Whitening(factor, inverse);
    }
}
