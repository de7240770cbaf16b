package org.pikv4j.calibration;

import java.util.Comparator;
import java.util.stream.IntStream;
import org.ejml.data.DMatrixRMaj;
import org.ejml.dense.row.factory.DecompositionFactory_DDRM;
import org.ejml.interfaces.decomposition.EigenDecomposition_F64;

/**
 * Eigenvalues of a covariance matrix, largest first, with their vectors.
 *
 * @param values not below zero, falling
 * @param vectors orthonormal columns, in the order of the values
 */
record SymmetricEigen(double[] values, DMatrixRMaj vectors) {

    /**
     * @param matrix symmetric and positive semidefinite; not changed
     */
    static SymmetricEigen of(DMatrixRMaj matrix) {
        int width = matrix.numRows;
        EigenDecomposition_F64<DMatrixRMaj> eigen = DecompositionFactory_DDRM.eig(width, true, true);
        if (!eigen.decompose(matrix.copy())) {
            throw new ArithmeticException("no eigenvalues of a symmetric matrix of " + width);
        }
        int[] order = IntStream.range(0, width)
                .boxed()
                .sorted(Comparator.comparingDouble(i -> -eigen.getEigenvalue(i).getReal()))
                .mapToInt(Integer::intValue)
                .toArray();
        double[] values = new double[width];
        DMatrixRMaj vectors = new DMatrixRMaj(width, width);
        for (int i = 0; i < width; i++) {
            values[i] = Math.max(0, eigen.getEigenvalue(order[i]).getReal());
            DMatrixRMaj vector = eigen.getEigenVector(order[i]);
            for (int row = 0; row < width; row++) {
                vectors.set(row, i, vector.get(row));
            }
        }
        return new SymmetricEigen(values, vectors);
    }
}
