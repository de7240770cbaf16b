package org.pikv4j.cache.compression;

import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A rotation that spreads outlying elements over their neighbours, so that a few bits suffice for what it gives: signs, then
 * a Walsh–Hadamard transform (QuaRot, arXiv 2404.00456, §3). Queries and keys, both rotated, have the products they had.
 *
 * <p>The transform works on blocks of n elements, n the largest power of two that divides the head dim: one block for a head
 * of 128, five of 16 for a head of 80. Element i of a rotated row is Σ_j (−1)^popcount(i AND j) · s_j · x_j / √n over its
 * block. The signs s are the same in every run: s_j is −1 where call j of {@code new Random(1).nextBoolean()} is true, which
 * the documentation of {@link Random} determines.
 */
public final class HadamardBasis {

    private static final String NAME = "rotate";
    private static final Map<Integer, Basis> BY_HEAD_DIM = new ConcurrentHashMap<>();

    private HadamardBasis() {}

    /**
     * @param headDim width of a head
     * @return the rotation; always the same one
     */
    public static Basis of(int headDim) {
        return BY_HEAD_DIM.computeIfAbsent(headDim, HadamardBasis::make);
    }

    private static Basis make(int headDim) {
        int block = Integer.lowestOneBit(headDim);
        float scale = (float) (1 / Math.sqrt(block));
        Random random = new Random(1);
        float[] down = new float[headDim * headDim];
        float[] up = new float[headDim * headDim];
        for (int j = 0; j < headDim; j++) {
            float signed = random.nextBoolean() ? -scale : scale;
            int first = j / block * block;
            for (int i = first; i < first + block; i++) {
                float element = (Integer.bitCount(i & j & (block - 1)) & 1) == 0 ? signed : -signed;
                down[i * headDim + j] = element;
                up[j * headDim + i] = element;
            }
        }
        return new Basis(NAME, headDim, headDim, down, up, new float[0]);
    }
}
