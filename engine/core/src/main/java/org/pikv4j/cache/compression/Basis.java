package org.pikv4j.cache.compression;

/**
 * A linear change of coordinates in which the rows of one layer and KV head are stored: of a row x the page holds
 * c = D·(x − b), and x is taken for U·c + b. Attention never forms x. For keys, q·x = (Uᵀq)·c + q·b: the query is projected
 * once and a constant is added to its scores. For values, Σ p·x = U·(Σ p·c) + b·Σ p: the sum is expanded once.
 *
 * <p>A rotation is a basis with D = Uᵀ square and orthogonal; SVD, LoRA, pruning and distillation are bases of a lower rank.
 */
public final class Basis {
    private final String name;
    private final int headDim;
    private final int rank;
    private final float[] down;
    private final float[] up;
    private final float[] upTransposed;
    private final float[] bias;

    /**
     * @param name what options call it
     * @param headDim width of a head
     * @param rank width of what is stored
     * @param down D, (rank, headDim)
     * @param up U, (headDim, rank)
     * @param bias b, (headDim); empty for none
     */
    public Basis(String name, int headDim, int rank, float[] down, float[] up, float[] bias) {
        if (rank < 1 || rank > headDim) {
            throw new IllegalArgumentException("rank " + rank + " of a head of " + headDim);
        }
        if (down.length != rank * headDim
                || up.length != rank * headDim
                || (bias.length != 0 && bias.length != headDim)) {
            throw new IllegalArgumentException("a basis of rank %d for a head of %d with %d, %d and %d elements"
                    .formatted(rank, headDim, down.length, up.length, bias.length));
        }
        this.name = name;
        this.headDim = headDim;
        this.rank = rank;
        this.down = down.clone();
        this.up = up.clone();
        this.bias = bias.clone();
        this.upTransposed = new float[up.length];
        for (int i = 0; i < headDim; i++) {
            for (int r = 0; r < rank; r++) {
                upTransposed[r * headDim + i] = up[i * rank + r];
            }
        }
    }

    public String name() {
        return name;
    }

    public int headDim() {
        return headDim;
    }

    public int rank() {
        return rank;
    }

    /**
     * @return D, (rank, headDim); not to be changed
     */
    public float[] down() {
        return down;
    }

    /**
     * @return U, (headDim, rank): a query times it is the projected query; not to be changed
     */
    public float[] up() {
        return up;
    }

    /**
     * @return Uᵀ, (rank, headDim): a weighted sum of stored values times it is the output; not to be changed
     */
    public float[] upTransposed() {
        return upTransposed;
    }

    /**
     * @return b, (headDim), or empty; not to be changed
     */
    public float[] bias() {
        return bias;
    }

    /**
     * c = D·(x − b).
     *
     * @param x holds a row of headDim elements
     * @param xOffset where it starts
     * @param c receives rank elements
     * @param cOffset where they go
     */
    public void project(float[] x, int xOffset, float[] c, int cOffset) {
        for (int r = 0; r < rank; r++) {
            float sum = 0f;
            for (int i = 0; i < headDim; i++) {
                sum += down[r * headDim + i] * (bias.length == 0 ? x[xOffset + i] : x[xOffset + i] - bias[i]);
            }
            c[cOffset + r] = sum;
        }
    }

    /**
     * x = U·c + b.
     *
     * @param c holds rank elements
     * @param cOffset where they start
     * @param x receives headDim elements
     * @param xOffset where they go
     */
    public void expand(float[] c, int cOffset, float[] x, int xOffset) {
        for (int i = 0; i < headDim; i++) {
            float sum = bias.length == 0 ? 0f : bias[i];
            for (int r = 0; r < rank; r++) {
                sum += up[i * rank + r] * c[cOffset + r];
            }
            x[xOffset + i] = sum;
        }
    }
}
