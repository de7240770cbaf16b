package org.pikv4j.calibration;

import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;

/**
 * A basis as it was fitted: x̂ = U·D·(x − b) + b.
 *
 * @param down D, (rank, headDim)
 * @param up U, (headDim, rank)
 * @param bias b, (headDim); zeros for none
 */
record FittedBasis(DMatrixRMaj down, DMatrixRMaj up, double[] bias) {

    /** The orthogonal projection onto the first columns of a matrix with orthonormal ones: D = Pᵀ, U = P. */
    static FittedBasis orthogonal(DMatrixRMaj columns, int rank, double[] bias) {
        DMatrixRMaj up = CommonOps_DDRM.extract(columns, 0, columns.numRows, 0, rank);
        return new FittedBasis(CommonOps_DDRM.transpose(up, null), up, bias);
    }

    int rank() {
        return down.numRows;
    }

    int headDim() {
        return down.numCols;
    }

    /** The same basis with columns of U of length 1, so that what is stored is on the scale of what it stands for. */
    FittedBasis normalised() {
        DMatrixRMaj scaledUp = up.copy();
        DMatrixRMaj scaledDown = down.copy();
        for (int r = 0; r < rank(); r++) {
            double square = 0;
            for (int i = 0; i < headDim(); i++) {
                square += up.get(i, r) * up.get(i, r);
            }
            double length = square > 0 ? Math.sqrt(square) : 1;
            for (int i = 0; i < headDim(); i++) {
                scaledUp.set(i, r, up.get(i, r) / length);
                scaledDown.set(r, i, down.get(r, i) * length);
            }
        }
        return new FittedBasis(scaledDown, scaledUp, bias);
    }

    /** What is lost of x − b: R = I − U·D, (headDim, headDim). */
    DMatrixRMaj residual() {
        DMatrixRMaj residual = CommonOps_DDRM.identity(headDim());
        CommonOps_DDRM.multAdd(-1, up, down, residual);
        return residual;
    }

    /** E[‖x − x̂‖²] over the vectors whose moments these are. */
    double error(Moments moments) {
        return error(moments, CommonOps_DDRM.identity(headDim()));
    }

    /**
     * E[(x − x̂)ᵀ·W·(x − x̂)]: with W = E[q·qᵀ] the mean square error of q·x, where q and x are independent.
     *
     * @param moments of the vectors
     * @param weight W, (headDim, headDim)
     */
    double error(Moments moments, DMatrixRMaj weight) {
        DMatrixRMaj residual = residual();
        DMatrixRMaj lost = new DMatrixRMaj(headDim(), headDim());
        CommonOps_DDRM.mult(residual, moments.secondMomentAbout(bias), lost);
        DMatrixRMaj covariance = new DMatrixRMaj(headDim(), headDim());
        CommonOps_DDRM.multTransB(lost, residual, covariance);
        return Math.max(0, CommonOps_DDRM.elementSum(elementProduct(covariance, weight)));
    }

    /** Both are symmetric: the sum of what this returns is the trace of their product. */
    private static DMatrixRMaj elementProduct(DMatrixRMaj a, DMatrixRMaj b) {
        DMatrixRMaj product = new DMatrixRMaj(a.numRows, a.numCols);
        CommonOps_DDRM.elementMult(a, b, product);
        return product;
    }

    /** 1 − E[‖x − x̂‖²] / E[‖x‖²]: the share that is kept; below zero where a basis does worse than nothing. */
    double energyKept(Moments moments) {
        double energy = moments.energy();
        return energy > 0 ? 1 - error(moments) / energy : 1;
    }
}
