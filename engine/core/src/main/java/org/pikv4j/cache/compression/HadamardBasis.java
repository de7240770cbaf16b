package org.pikv4j.cache.compression;

/** The Hadamard rotation in blocks of the largest power of two that divides the head dim. */
final class HadamardBasis {
    private HadamardBasis() {}

    static Basis of(int headDim) {
        int block = Integer.lowestOneBit(headDim);
        float factor = (float) (1 / Math.sqrt(block));
        float[] rotation = new float[headDim * headDim];
        for (int i = 0; i < headDim; i++) {
            for (int j = 0; j < headDim; j++) {
                if (i / block == j / block) {
                    rotation[i * headDim + j] = Integer.bitCount(i & j & (block - 1)) % 2 == 0 ? factor : -factor;
                }
            }
        }
        return new Basis("rotate", headDim, headDim, rotation, rotation, new float[0]);
    }
}
