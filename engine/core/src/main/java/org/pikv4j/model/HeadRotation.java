package org.pikv4j.model;

/** The rotary embedding of single heads: what the decoder does for whole batches. */
public final class HeadRotation {
    private final float[] inverseFrequencies;

    /**
     * @param rope the embedding
     */
    public HeadRotation(RopeSpec rope) {
        this.inverseFrequencies = rope.inverseFrequencies();
    }

    /**
     * @return the angle per position of each pair
     */
    public float[] inverseFrequencies() {
        return inverseFrequencies;
    }

    /**
     * @param x holds a head, changed in place
     * @param offset where it starts
     * @param positions how far to turn it; negative to turn it back
     */
    public void turn(float[] x, int offset, int positions) {
        int pairs = inverseFrequencies.length;
        for (int i = 0; i < pairs; i++) {
            double angle = positions * inverseFrequencies[i];
            double cos = Math.cos(angle);
            double sin = Math.sin(angle);
            float a = x[offset + i];
            float b = x[offset + pairs + i];
            x[offset + i] = (float) (a * cos - b * sin);
            x[offset + pairs + i] = (float) (b * cos + a * sin);
        }
    }
}
