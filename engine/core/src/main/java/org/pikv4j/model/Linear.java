package org.pikv4j.model;

import org.pikv4j.tensor.Tensor;

/** A linear map y = W·x + b. */
public final class Linear {
    private static final float[] NO_BIAS = {};

    private final Tensor weight;
    private final float[] bias;

    /**
     * @param weight W, shape (out, in)
     */
    public Linear(Tensor weight) {
        this(weight, NO_BIAS);
    }

    /**
     * @param weight W, shape (out, in)
     * @param bias b, length out, or empty for none
     */
    public Linear(Tensor weight, float[] bias) {
        if (weight.shape().size() != 2 || (bias.length != 0 && bias.length != weight.dim(0))) {
            throw new IllegalArgumentException(
                    weight.name() + ": shape " + weight.shape() + " with a bias of " + bias.length);
        }
        this.weight = weight;
        this.bias = bias;
    }

    /**
     * @return W, shape (out, in)
     */
    public Tensor weight() {
        return weight;
    }

    /**
     * @return b, length out, or empty; not to be changed
     */
    public float[] bias() {
        return bias;
    }

    /**
     * @return length of y
     */
    public int out() {
        return weight.dim(0);
    }

    /**
     * @return length of x
     */
    public int in() {
        return weight.dim(1);
    }
}
