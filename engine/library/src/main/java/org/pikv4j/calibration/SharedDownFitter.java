package org.pikv4j.calibration;

import java.util.ArrayList;
import java.util.List;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.CommonOps_DDRM;
import org.ejml.dense.row.factory.LinearSolverFactory_DDRM;
import org.ejml.interfaces.linsol.LinearSolverDense;
import org.pikv4j.cache.compression.HalfShape;

/**
 * LoRA: one down-projection D shared by all KV heads of a layer, an up-projection U per head, fitted together to
 * Σ ‖x − U·D·x‖² over the heads. It starts from the first eigenvectors of Σ E[x·xᵀ]; then U given D, and D given U, are linear
 * least squares, solved in turn until the error hardly falls: it never rises.
 */
final class SharedDownFitter implements BasisFitter {
    private static final int ROUNDS = 20;
    private static final double ENOUGH = 1e-4;
    private static final int STEPS = 20;
    /** Keeps a system with stored numbers that repeat each other solvable, in shares of their mean energy. */
    private static final double RIDGE = 1e-10;

    @Override
    public Fit fit(LayerStatistics layer, HalfShape.Side side, int rank) {
        List<Moments> stored = layer.stored(side);
        int width = layer.spec().headDim();
        List<DMatrixRMaj> seconds = stored.stream().map(Moments::secondMoment).toList();
        DMatrixRMaj all = new DMatrixRMaj(width, width);
        seconds.forEach(second -> CommonOps_DDRM.addEquals(all, second));
        DMatrixRMaj down = FittedBasis.orthogonal(SymmetricEigen.of(all).vectors(), rank, new double[width])
                .down();
        List<FittedBasis> best = withBestUps(down, seconds);
        double error = error(best, stored);
        for (int round = 0; round < ROUNDS; round++) {
            List<FittedBasis> next = withBestUps(betterDown(best, seconds), seconds);
            double nextError = error(next, stored);
            if (nextError >= error) {
                break;
            }
            boolean enough = error - nextError < ENOUGH * error;
            best = next;
            error = nextError;
            if (enough) {
                break;
            }
        }
        return new Fit(best);
    }

    private static double error(List<FittedBasis> bases, List<Moments> stored) {
        double error = 0;
        for (int head = 0; head < bases.size(); head++) {
            error += bases.get(head).error(stored.get(head));
        }
        return error;
    }

    /** U = S·Dᵀ·(D·S·Dᵀ)⁻¹ for each head, S its second moment. */
    private static List<FittedBasis> withBestUps(DMatrixRMaj down, List<DMatrixRMaj> seconds) {
        int rank = down.numRows;
        int width = down.numCols;
        List<FittedBasis> bases = new ArrayList<>();
        for (DMatrixRMaj second : seconds) {
            DMatrixRMaj met = new DMatrixRMaj(rank, width); // D·S
            CommonOps_DDRM.mult(down, second, met);
            DMatrixRMaj gram = new DMatrixRMaj(rank, rank);
            CommonOps_DDRM.multTransB(met, down, gram);
            double ridge = Math.max(RIDGE * CommonOps_DDRM.trace(gram) / rank, Double.MIN_NORMAL);
            for (int r = 0; r < rank; r++) {
                gram.add(r, r, ridge);
            }
            LinearSolverDense<DMatrixRMaj> solver = LinearSolverFactory_DDRM.chol(rank);
            DMatrixRMaj upTransposed = new DMatrixRMaj(rank, width);
            if (!solver.setA(gram)) {
                throw new ArithmeticException("a system of " + rank + " is not positive definite");
            }
            solver.solve(met, upTransposed);
            bases.add(new FittedBasis(down, CommonOps_DDRM.transpose(upTransposed, null), new double[width]));
        }
        return bases;
    }

    /**
     * Minimises over D by conjugate gradients: Σ Uᵀ·U·D·S = Σ Uᵀ·S. The system itself has (rank·width)² elements; its product
     * with a D needs none of them.
     */
    private static DMatrixRMaj betterDown(List<FittedBasis> bases, List<DMatrixRMaj> seconds) {
        int rank = bases.getFirst().rank();
        int width = bases.getFirst().headDim();
        DMatrixRMaj down = bases.getFirst().down().copy();
        List<DMatrixRMaj> grams = new ArrayList<>();
        DMatrixRMaj residual = new DMatrixRMaj(rank, width);
        for (int head = 0; head < bases.size(); head++) {
            DMatrixRMaj up = bases.get(head).up();
            DMatrixRMaj gram = new DMatrixRMaj(rank, rank);
            CommonOps_DDRM.multTransA(up, up, gram);
            grams.add(gram);
            CommonOps_DDRM.multAddTransA(up, seconds.get(head), residual);
        }
        CommonOps_DDRM.subtractEquals(residual, apply(grams, seconds, down));
        DMatrixRMaj direction = residual.copy();
        double square = dot(residual, residual);
        for (int step = 0; step < STEPS && square > 0; step++) {
            DMatrixRMaj image = apply(grams, seconds, direction);
            double curvature = dot(direction, image);
            if (curvature <= 0) {
                break;
            }
            double length = square / curvature;
            CommonOps_DDRM.addEquals(down, length, direction);
            CommonOps_DDRM.addEquals(residual, -length, image);
            double next = dot(residual, residual);
            CommonOps_DDRM.add(1, residual, next / square, direction, direction);
            square = next;
        }
        return down;
    }

    private static double dot(DMatrixRMaj a, DMatrixRMaj b) {
        double sum = 0;
        for (int i = 0; i < a.getNumElements(); i++) {
            sum += a.data[i] * b.data[i];
        }
        return sum;
    }

    private static DMatrixRMaj apply(List<DMatrixRMaj> grams, List<DMatrixRMaj> seconds, DMatrixRMaj down) {
        DMatrixRMaj sum = new DMatrixRMaj(down.numRows, down.numCols);
        DMatrixRMaj product = new DMatrixRMaj(down.numRows, down.numCols);
        for (int head = 0; head < grams.size(); head++) {
            CommonOps_DDRM.mult(grams.get(head), down, product);
            CommonOps_DDRM.multAdd(product, seconds.get(head), sum);
        }
        return sum;
    }
}
