package org.pikv4j.model;

/**
 * Rotary position embedding over the first {@code dims} elements of a head, the halves paired (i with i + dims/2) as
 * Hugging Face lays weights out (RoFormer: Su et al., arXiv 2104.09864, §3.4.2).
 *
 * @param theta the base of the frequencies
 * @param dims elements rotated, even
 */
public record RopeSpec(double theta, int dims) {

    /**
     * In float32, as the reference implementation computes them: at long distances the rounding is part of what the
     * model was trained with.
     *
     * @return the angle per position of each pair, length dims/2
     */
    public float[] inverseFrequencies() {
        float[] frequencies = new float[dims / 2];
        for (int i = 0; i < frequencies.length; i++) {
            frequencies[i] = 1f / (float) Math.pow(theta, (float) (2 * i) / dims);
        }
        return frequencies;
    }
}
